"""Sizing, limits and protective orders: pure functions of plain values. Refuses to know of events and containers."""
