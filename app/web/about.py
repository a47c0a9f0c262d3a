"""Pages being built."""

from flask import Blueprint

bp = Blueprint("about", __name__)
