"""Hubbub beside its peers: what `make bench` and `make bench-quick` run.

`servers` starts them, `load` drives the load client, `work` is what is measured, `plan` in which
order, `results` keeps it; `stats`, `tables`, `plots` and `report` turn what was kept into pages and
do no I/O but the last.
"""
