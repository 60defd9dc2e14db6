"""`rfm migrate`, which `python migrate.py` calls: the database and its tables."""

import click

from rfm_backend.cli.help import HelpWriter


@click.command("migrate", cls=HelpWriter, epilog="Example:  python migrate.py")
@click.option("--to", default="head", show_default=True, help="A revision, head, or base for none.")
def command(to: str) -> None:
    """Make the database and its tables, or bring them to this version's form."""
    from rfm_backend.cli.service import ready_settings

    # Run by another user, it would leave a folder that the service may not write to.
    settings = ready_settings(keeps_files=False)

    from rfm_backend.storage.migrate import migrate

    before = migrate(settings, to=to)
    where = f"{settings.db_name} on {settings.db_host}" if settings.db_host else "the SQLite file"
    click.echo(f"The database ({where}) was at {before or 'nothing'} and is at {to}.")
