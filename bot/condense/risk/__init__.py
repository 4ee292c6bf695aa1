"""Risk rules: what a change puts at stake in operation, found line by line, with no model.

``assess`` runs the families of rules that fit a file's path; each family is a module with a table of rules.
"""
