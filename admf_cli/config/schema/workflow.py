"""`workflow` and `results`: what is run, in which phases, and where its results go. Refuses to know the data."""

from typing import Literal

from pydantic import Field

from admf_cli.config.schema.base import Moment, Name, Section, Text, WorkflowId


class Phase(Section):
    """One pass over a range of time, on newly built containers."""

    name: Name = Field(description="Name of the phase; a directory of its traces and results.", examples=["training"])
    start: Moment | None = Field(
        None, description="First date or UTC time of the phase; null = where the data begins.", examples=["2000-01-01"]
    )
    end: Moment | None = Field(
        None,
        description="Last date or UTC time, included (a date includes its whole day); null = where the data ends.",
        examples=["2009-12-31"],
    )


class Workflow(Section):
    """What is run."""

    type: Literal["backtest"] = Field("backtest", description="Kind of workflow.")
    id: WorkflowId | None = Field(
        None,
        description="Id of the run, a directory of its traces and results; null = made from `name` and the start time.",
        examples=["wf_123"],
    )
    mode: Literal["backtest", "signal_generation", "signal_replay"] = Field(
        "backtest",
        description="What the phases do: everything; strategies only, which leaves the traces of their signals; or "
        "portfolios on the signals that `signals` names.",
    )
    phases: list[Phase] = Field(
        default_factory=lambda: [{"name": "backtest"}],
        validate_default=True,
        min_length=1,
        max_length=1000,
        description="Phases in their order, each on newly built containers; default: one named `backtest` over all "
        "data. Their ranges may overlap.",
        examples=[[{"name": "training", "end": "2009-12-31"}, {"name": "testing", "start": "2010-01-01"}]],
    )


class Signals(Section):
    """Decisions made before, for `workflow.mode: signal_replay`."""

    path: Text = Field(
        description="Directory of a run's traces (of the workflow or of one phase), or a CSV file with the columns "
        "timestamp, symbol, and direction or weight (strategy and rule if wanted). Relative to the working directory, "
        "else to the configuration's.",
        examples=["traces/wf_123", "signals.csv"],
    )


class Results(Section):
    """Files for people and programs."""

    dir: Text = Field("./results", description="Directory in which a directory per workflow is made.")
    write: bool = Field(True, description="Write summary.json, trades.csv and equity.csv; false = nothing but traces.")
