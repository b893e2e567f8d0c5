"""What every section shares: strictness, and the types of names, symbols, moments and paths.

Refuses to know the sections. Models are built late (`defer_build`): only the root's validator is ever needed.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
NAME_LENGTH = 64
ID_LENGTH = 100
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_OWN_SUFFIX = re.compile(r".*\.(?:jsonl?|csv|parquet|html|tmp|lock)", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)

SMALLEST_POSITIVE = 1e-12


class Section(BaseModel):
    """A mapping whose keys are known; the base of all the others."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class Check:
    """In an annotation, the function that a value of the type goes through.

    Pydantic's `AfterValidator` does the same, but has the function's signature inspected wherever the type is used.
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the type with the function behind it."""
        return core_schema.no_info_after_validator_function(self._function, handler(source))


def fault(rule: str, remedy: str | None = None) -> PydanticCustomError:
    """Return the error that a validator raises: a rule in words and a way out."""
    return PydanticCustomError("admf", "{rule}", {"rule": rule, "remedy": remedy})


def _check_name(text: str, longest: int) -> str:
    if not text or len(text) > longest or not re.fullmatch(NAME_PATTERN, text, re.ASCII) or text.endswith("."):
        rule = (
            f"a name becomes a file's name: 1 to {longest} of A-Z a-z 0-9 _ . -, a letter or digit first, no point last"
        )
        suggestion = re.sub(r"[^A-Za-z0-9_.-]+", "_", text[: longest * 2]).strip("_.-")[:longest].rstrip(".")
        raise fault(rule, f"write {suggestion}" if suggestion and not _RESERVED.fullmatch(suggestion) else None)
    if _RESERVED.fullmatch(text):
        raise fault("the name is reserved for devices on Windows, and it becomes a file's name", f"write {text}_1")
    if _OWN_SUFFIX.fullmatch(text):
        raise fault("a name must not end like the files made from it", f"write {text.replace('.', '_')}")
    return text


def check_name(text: str) -> str:
    """Return a name that is safe as part of a file's name, or raise."""
    return _check_name(text, NAME_LENGTH)


def check_id(text: str) -> str:
    """Return a workflow's id that is safe as a directory's name, or raise."""
    return _check_name(text, ID_LENGTH)


def check_symbol(text: str) -> str:
    """Return a symbol that is one printable word, or raise."""
    if not 1 <= len(text) <= NAME_LENGTH or text != text.strip() or not text.isprintable():
        raise fault(f"a symbol is 1 to {NAME_LENGTH} printable characters without spaces around it")
    return text


def check_text(text: str) -> str:
    """Return text that is not empty and has no control characters, or raise."""
    if not text.strip():
        raise fault("the text must not be empty")
    if not text.isprintable():
        raise fault("control characters are not allowed here")
    return text


def check_proportion(number: float) -> float:
    """Return a number above zero that is not so small that dividing by it leaves the range of a double, or raise."""
    if number < SMALLEST_POSITIVE:
        raise fault(f"must be at least {SMALLEST_POSITIVE:g}")
    return number


def parse_moment(text: str) -> datetime:
    """Return a date or time of the configuration as aware UTC; a time without an offset is UTC.

    Raises:
        ValueError: it is neither.
    """
    if _DATE.fullmatch(text) or _MOMENT.fullmatch(text):
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    raise ValueError("not an ISO date or time")


def check_moment(text: str) -> str:
    """Return a date as it is and a time in UTC as `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`, or raise."""
    try:
        moment = parse_moment(text)
    except (ValueError, OverflowError) as error:
        if _DATE.fullmatch(text) or _MOMENT.fullmatch(text):
            raise fault(f"must be a date or a UTC time that exists: {error}", "write a day of the calendar") from None
        raise fault("must be a date or a UTC time", _moment_remedy(text)) from None
    return text if _DATE.fullmatch(text) else f"{moment.replace(tzinfo=None).isoformat()}Z"


def _moment_remedy(text: str) -> str:
    numbers = re.fullmatch(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})", text, re.ASCII)
    if numbers and len(numbers[1]) == 4:
        return f"write {numbers[1]}-{int(numbers[2]):02d}-{int(numbers[3]):02d}"
    compact = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII)
    if compact:
        return f"write {'-'.join(compact.groups())}"
    return "write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ"


def tagged(choose: Callable[[Any], str | None]) -> Discriminator:
    """Return a discriminator whose tags can't be mistaken for keys in the place of an error."""

    def tag(value: Any) -> str | None:
        kind = choose(value)
        return None if kind is None else f"<{kind}>"

    return Discriminator(tag)


def by_type(value: Any) -> str | None:
    """Return the `type` of a mapping (or of a model, when defaults are validated)."""
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    return kind if isinstance(kind, str) else None


_NAME_JSON = {"type": "string", "pattern": f"^{NAME_PATTERN}$", "maxLength": NAME_LENGTH}
_MOMENT_JSON = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$"}

Name = Annotated[str, Check(check_name), WithJsonSchema(_NAME_JSON)]
WorkflowId = Annotated[str, Check(check_id), WithJsonSchema({**_NAME_JSON, "maxLength": ID_LENGTH})]
Symbol = Annotated[
    str, Check(check_symbol), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": NAME_LENGTH})
]
Text = Annotated[str, Check(check_text), WithJsonSchema({"type": "string", "minLength": 1})]
Moment = Annotated[str, Check(check_moment), WithJsonSchema(_MOMENT_JSON)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(gt=0, le=1)]
# Bounded, so that no product of a price, a quantity and a multiplier leaves the range of a double.
Positive = Annotated[float, Field(gt=0, le=1e15), Check(check_proportion)]
NotNegative = Annotated[float, Field(ge=0, le=1e15)]
Count = Annotated[int, Field(ge=1)]
