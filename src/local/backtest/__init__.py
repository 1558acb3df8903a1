"""`make backtest`: earlier month ends of a portfolio, each knowing only what was known then, against what was read later."""
