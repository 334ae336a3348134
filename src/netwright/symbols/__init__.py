"""Formulas and expressions: plans of symbols (sympy)."""
