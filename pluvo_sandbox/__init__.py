"""A local Pluvo: the documented API, served from SQLite, to develop and test against.

`pluvo-sandbox serve` starts it from a shell, `with Sandbox() as sandbox:` inside a program.
"""

try:
    from pluvo_sandbox.changes import Change, ChangeLog
    from pluvo_sandbox.editor import Editor
    from pluvo_sandbox.movement import Churn
    from pluvo_sandbox.sandbox import Sandbox
    from pluvo_sandbox.service import LoggedRequest
except ModuleNotFoundError as error:
    msg = f"the sandbox needs {error.name}: install its extra, `pip install 'tap-pluvo[sandbox]'`"
    raise ModuleNotFoundError(msg, name=error.name) from None

__all__ = ["Change", "ChangeLog", "Churn", "Editor", "LoggedRequest", "Sandbox"]
