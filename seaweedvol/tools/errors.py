"""What a tool raises when it cannot go on."""


class ToolError(Exception):
    """Raised, with a line for the operator, when a tool cannot do what it was asked to."""
