"""Strategies: what is wanted, when and why, from bars and features. Refuses to know of portfolios and orders.

`registry` names and builds them, `interface` says what one is; each other module holds one built-in strategy or
something several of them share.
"""
