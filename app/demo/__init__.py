"""The invented people and spaces that `mitoyen demo` shows."""
