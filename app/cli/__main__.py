"""``python -m app.cli`` is the ``mitoyen`` command."""

from app.cli import main

main(prog_name="mitoyen")
