"""Every small change of a module's source that the mutation run tries. Refuses to know what the code or a test does."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.USub: ast.UAdd,
}
_FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a source.

    Attributes:
        function: qualified name of what it is in, `<module>` outside of all.
        text: the first line of what is changed, as it was.
        change: what is done; numbered where the same is done before to the same line.
    """

    path: str
    line: int
    function: str
    text: str
    change: str
    _tree: ast.Module
    _node: ast.AST
    _field: str
    _value: object

    @property
    def source(self) -> str:
        """The whole module's, changed; made when it is asked for."""
        before = getattr(self._node, self._field)
        setattr(self._node, self._field, self._value)
        try:
            return ast.unparse(self._tree)
        finally:
            setattr(self._node, self._field, before)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names a mutant while lines around it come and go."""
        return (self.path, self.function, self.text, self.change)


def mutants(path: str, source: str) -> list[Mutant]:
    """Return a mutant for every place where something can be changed, in order of the source's tree."""
    tree = ast.parse(source)
    lines = source.splitlines()
    left_out = {id(part) for node in ast.walk(tree) for part in _left_out(node)}
    functions = dict(_functions(tree, "<module>"))
    found: list[Mutant] = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        for label, field, value, line in _changes(node):
            text = lines[line - 1].strip() if line else ""
            function = functions[id(node)]
            seen[function, text, label] += 1
            times = seen[function, text, label]
            change = label if times == 1 else f"{label} ({times})"
            found.append(Mutant(path, line, function, text, change, tree, node, field, value))
    return found


def _functions(node: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    yield id(node), name
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.FunctionDef | ast.ClassDef)
        inner = f"{name}.{child.name}".removeprefix("<module>.") if named else name  # type: ignore[attr-defined]
        yield from _functions(child, inner)


def _left_out(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what says nothing to the interpreter: annotations, docstrings, the names in `__slots__`."""
    for name in ("annotation", "returns"):
        part = getattr(node, name, None)
        if isinstance(part, ast.AST):
            yield from ast.walk(part)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "__slots__" for to in node.targets):
        yield from ast.walk(node.value)


def _changes(node: ast.AST) -> Iterator[tuple[str, str, object, int]]:
    """Yield (what is done, field of the node, its new value, line)."""
    line = getattr(node, "lineno", 0)
    for label, field, value in _changes_of_itself(node):
        yield label, field, value, line
    for field in ("body", "orelse", "finalbody"):
        statements = getattr(node, field, None)
        if isinstance(statements, list):
            for place, statement in enumerate(statements):
                if (instead := _instead_of(statement)) is not None:
                    label, new = instead
                    yield label, field, [*statements[:place], new, *statements[place + 1 :]], statement.lineno


def _instead_of(statement: ast.stmt) -> tuple[str, ast.stmt] | None:
    if isinstance(statement, ast.Break):
        return "break -> continue", ast.Continue()
    if isinstance(statement, ast.Continue):
        return "continue -> break", ast.Break()
    dropped = isinstance(statement, ast.AugAssign | ast.Raise)
    if isinstance(statement, ast.Expr):
        dropped = isinstance(statement.value, ast.Call)
    if isinstance(statement, ast.Assign):
        dropped = all(isinstance(target, ast.Attribute | ast.Subscript) for target in statement.targets)
    return ("statement left out", ast.Pass()) if dropped else None


def _changes_of_itself(node: ast.AST) -> Iterator[tuple[str, str, object]]:
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp | ast.UnaryOp) and type(node.op) in _OPERATORS:
        other = _OPERATORS[type(node.op)]
        yield f"{type(node.op).__name__} -> {other.__name__}", "op", other()
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not x -> not not x", "operand", ast.UnaryOp(ast.Not(), node.operand)
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if (opposite := _OPERATORS.get(type(operator))) is not None:
                ops = [*node.ops[:place], opposite(), *node.ops[place + 1 :]]
                yield f"{type(operator).__name__} -> {opposite.__name__}", "ops", ops
    if isinstance(node, ast.Constant):
        yield from _constants(node.value)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield (
            f"{'while' if isinstance(node, ast.While) else 'if'} x -> not x",
            "test",
            ast.UnaryOp(ast.Not(), node.test),
        )
    if isinstance(node, ast.comprehension):
        for place, test in enumerate(node.ifs):
            opposites = [*node.ifs[:place], ast.UnaryOp(ast.Not(), test), *node.ifs[place + 1 :]]
            yield "for ... if x -> not x", "ifs", opposites
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "return x -> return None", "value", ast.Constant(None)
    if isinstance(node, ast.Lambda) and not isinstance(node.body, ast.Constant):
        yield "lambda: x -> lambda: None", "body", ast.Constant(None)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _FUNCTIONS:
        yield f"{node.id} -> {_FUNCTIONS[node.id]}", "id", _FUNCTIONS[node.id]
    if isinstance(node, ast.Attribute) and node.attr in _FUNCTIONS:
        yield f"{node.attr} -> {_FUNCTIONS[node.attr]}", "attr", _FUNCTIONS[node.attr]


def _constants(value: object) -> Iterator[tuple[str, str, object]]:
    if isinstance(value, bool):
        yield f"{value} -> {not value}", "value", not value
    elif isinstance(value, int | float):
        yield f"{value} -> {value + 1}", "value", value + 1
    elif isinstance(value, str):
        yield f"{value!r} -> {value + '!'!r}", "value", value + "!"
