"""Pages being built."""

from flask import Blueprint

bp = Blueprint("directory", __name__)
