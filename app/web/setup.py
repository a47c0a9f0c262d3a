"""Pages being built."""

from flask import Blueprint

bp = Blueprint("setup", __name__)
