"""Pages being built."""

from flask import Blueprint

bp = Blueprint("neighbours", __name__)
