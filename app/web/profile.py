"""Pages being built."""

from flask import Blueprint

bp = Blueprint("profile", __name__)
