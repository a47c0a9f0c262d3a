"""Pages for people: one module per noun, thin views, HTML that works without JavaScript."""
