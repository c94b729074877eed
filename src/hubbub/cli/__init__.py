"""What a person types: one command a file.

Laws of this folder:

- A person's mistake is answered by one line on standard error, which says what is wrong and
  what to do, and by exit status 2: never by a traceback.
- What a command needs is imported when that command runs, so that the server starts quickly
  and `--version` at once.

The table of contents: `app` puts the commands together and runs one; `serve`, `token`, `export`,
`import_` and `backup` are the commands; `files` finds the store and makes files; `progress` shows
how far a command is; `sources` finds the settings in the environment and the file; `mistakes`
makes the one line; `help` lays out `--help`; `docs` writes the page of settings.
"""


def main() -> int:
    """Run the command in `sys.argv`; return the exit status."""
    import gc

    gc.disable()  # loading modules makes no garbage, and looking for it took a tenth of the start
    from hubbub.cli.app import run

    return run()
