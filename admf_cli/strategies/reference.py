"""The page docs/strategies.md: how strategies decide, the language of rules, and every strategy. Computes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from admf_cli.features.reference import parameter_table
from admf_cli.strategies.registry import describe, strategy_types
from admf_cli.strategies.syntax import CALENDAR_CONDITIONS, CALENDAR_NUMBERS, FUNCTIONS

_HEAD = """\
# Strategies

Made by `admf strategies list --markdown`; do not edit. `admf strategies show NAME` prints one of them: parameters,
defaults, rules in words, and YAML to start from. A class of your own: `type: python`.

```yaml
strategies:
  - name: trend                      # becomes part of container ids: strategy_trend, portfolio_trend_base
    type: sma_crossover
    params: {fast: 10, slow: 30, direction: long_flat}
    symbols: [SPX]                   # those it decides on; without it all
```

## How a strategy decides

- It sees a bar when it has closed, and decides then; orders meet the symbol's next bar
  ([market-rules.md](market-rules.md)). The first bar of trading may already decide, as features may have been warmed
  up by bars before it.
- Every symbol is looked at by itself, over its own bars: "the bar before" is the symbol's own.
- A decision is made when what is wanted changes: long, flat or short. While a rule goes on holding, nothing is said
  again (`repeat: true` says it again on every bar). What is wanted begins flat at the first bar of trading, whatever
  held before it.
- On a bar exits come first, then entries. An entry whose own exit holds on the same bar is void; entries of both
  sides on one bar void each other. An entry of the other side reverses the position, in one order.
- Undefined values (a feature that is still warming up) decide nothing: comparisons with them hold neither as written
  nor under `not`.
- A crossing upwards is `fast[t-1] <= slow[t-1] and fast[t] > slow[t]`, all four defined; downwards is the mirror
  image.
- `direction` chooses the sides: `long_flat`, `long_short` or `short_flat`.
- Strategies do not know what a portfolio made of their decisions: after a stop-loss, a strategy that wanted long
  still does, and speaks again when that changes.
- Sizes come from the risk profile, except for strategies that set weights (`target_weights`, `zscore_pairs`,
  `momentum` across symbols): these are shares of equity, and the profile's limits apply to them.
- Every SIGNAL in the trace names the rule that decided and the values it read; `admf traces why-not` says of any bar
  what each rule lacked.

Where a parameter is a number of bars, most strategies also take the name of a feature instead:

```yaml
features:
  slow_line: {type: KAMA, timeperiod: 40}
strategies:
  - name: trend
    type: sma_crossover
    params: {fast: 10, slow: slow_line}
```
"""

_LANGUAGE = """\
## The language of rules

`type: rules`, and the gates of `type: filter`, are written in it. Names are the bar's columns (`open`, `high`, `low`,
`close`, `volume`), the features of the configuration, and those of the calendar. The text is read into a tree of the
parts listed here; nothing of it is ever run as Python. A mistake is answered with its line and column.

```yaml
features:
  sma_50: {type: SMA, timeperiod: 50}
  rsi_14: {type: RSI, timeperiod: 14}
  upper: {type: DONCHIAN, timeperiod: 20, output: upper}
strategies:
  - name: mine
    type: rules
    params:
      enter_long: crosses_above(close, sma_50) and rsi_14 < 70 or close > upper
      exit_long: close < lag(low, 1) and not new_month
      enter_short: close < 0.95 * sma_50 and 0 <= weekday < 4
      exit_short: rsi_14 < 25 or crosses_above(close, sma_50)
```

- Comparisons: `<`, `<=`, `>`, `>=`, `==`, `!=`, also in chains: `30 < rsi_14 <= 50`.
- Arithmetic: `+`, `-`, `*`, `/`, parentheses. Dividing by zero is undefined.
- Logic: `and`, `or`, `not`; `or` binds loosest. `true`, `false`.
- In YAML's `{ }` a comma ends a text: there, put an expression that holds one in quotes.
- At most 2,000 characters, 32 levels deep.

"""

_MEMBERS = """\
## Strategies made of strategies

`ensemble` and `filter` take other strategies: as blocks with `name`, `type` and `params`, or by the name of a
strategy of the same configuration (which then also trades by itself). Blocks can hold further ones. A class of one's
own can be named if it decides over columns, with `targets`. In the trace, a member's features and rules carry its
name (`trend.fast`, `trend: fast crosses above slow`); SIGNALs show what each member wanted, the score, and whether
the gate was open.

```yaml
features:
  volatility: {type: REALISED_VOLATILITY, timeperiod: 20, periods_per_year: 252}
  spx_volatility: {type: REFERENCE, symbol: SPX, input: volatility}     # the index's, seen by every symbol
  wild: {type: REGIME, input: spx_volatility, upper: 0.25, lower: 0.18} # 1 or 0
strategies:
  - name: trend
    type: ema_crossover
    params: {fast: 20, slow: 80}
  - name: by_regime                    # calm: follow the trend; wild: buy what has fallen too far
    type: ensemble
    params:
      method: first
      members:
        - name: calm
          type: filter
          params: {strategy: trend, open_when: wild == 0}
        - name: wild
          type: filter
          params:
            strategy: {type: rsi_mean_reversion, params: {period: 5, exit_long: 60}}
            open_when: wild == 1
```
"""


def markdown_page() -> str:
    """Return the page."""
    lines = [_HEAD, _LANGUAGE.rstrip(), ""]
    lines += ["| function | meaning |", "|---|---|", *_usages(), ""]
    lines += ["| name | meaning |", "|---|---|", *_table({**CALENDAR_NUMBERS, **CALENDAR_CONDITIONS}), ""]
    lines += [_MEMBERS, "## All strategies", ""]
    for name in strategy_types():
        info = describe(name)
        lines += [f"### {name}", "", f"{info.summary}.", "", *(f"- {rule}" for rule in info.rules), ""]
        lines += [f"Source: {info.source}.", ""]
        if info.parameters:
            lines += [*parameter_table(info.parameters), ""]
        lines += ["```yaml", info.example.rstrip(), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def _usages() -> list[str]:
    rows = []
    for usage in FUNCTIONS.values():
        call, _, meaning = usage.partition("): ")
        rows.append(f"| `{call})` | {meaning} |")
    return rows


def _table(words: Mapping[str, str]) -> list[str]:
    return [f"| `{name}` | {meaning} |" for name, meaning in words.items()]
