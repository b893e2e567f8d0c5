"""The whole configuration. Refuses to know rules that reach across sections; those are in `rules`."""

from typing import Annotated

from pydantic import Field

from admf_cli.config.schema.base import Name, Section, Symbol
from admf_cli.config.schema.data import Data, Instrument
from admf_cli.config.schema.execution import Execution
from admf_cli.config.schema.strategies import Feature, Portfolio, RiskProfile, Strategy
from admf_cli.config.schema.workflow import Results, Signals, Workflow

FeatureName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]


class Config(Section):
    """One run."""

    name: Name | None = Field(None, description="Name of the run; null = the file's name.", examples=["trend_demo"])
    workflow: Workflow = Field(default_factory=dict, validate_default=True, description="What is run.")
    data: Data = Field(description="Which bars are read.", examples=[{"source": "csv", "path": "data/sp500_daily.csv"}])
    instruments: dict[Symbol, Instrument] = Field(
        default_factory=dict,
        description="Trading units by symbol; `default` holds for the others.",
        examples=[{"default": {"lot_size": 0.01}}],
    )
    features: dict[FeatureName, Feature] = Field(
        default_factory=dict,
        description="Columns computed from bars, by name.",
        examples=[{"fast": {"type": "SMA", "timeperiod": 10}}],
    )
    strategies: Annotated[list[Strategy], Field(min_length=1, max_length=1000)] = Field(
        description="What decides; each strategy runs under each risk profile.",
        examples=[[{"name": "trend", "type": "sma_crossover", "params": {"fast": 10, "slow": 30}}]],
    )
    signals: Signals | None = Field(
        None,
        description="Decisions to replay, with `workflow.mode: signal_replay`.",
        examples=[{"path": "traces/wf_1"}],
    )
    risk_profiles: Annotated[list[RiskProfile], Field(min_length=1, max_length=1000)] = Field(
        description="How much, and within which limits.",
        examples=[[{"name": "base", "sizing": {"type": "percent_equity", "percent": 0.95}, "stop_loss": 0.05}]],
    )
    portfolio: Portfolio = Field(default_factory=dict, validate_default=True, description="The money.")
    execution: Execution = Field(default_factory=dict, validate_default=True, description="Fills, costs, tracing.")
    results: Results = Field(default_factory=dict, validate_default=True, description="Files of results.")
