"""`rfm admin`: what an operator does with accounts, and with everything at once."""

import sys
from pathlib import Path

import click

from rfm_backend.catalogue import words
from rfm_backend.cli.exits import FAULT
from rfm_backend.cli.help import HelpWriter


class _Group(HelpWriter, click.Group):
    """A group whose help looks like that of every command."""


@click.group("admin", cls=_Group, epilog="Example:  rfm admin users")
def command() -> None:
    """Look after accounts (list, add, disable, delete, give a new password) and backups."""


@command.command("users")
def users_command() -> None:
    """List the accounts."""
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.services import administration, open_service
    from rfm_backend.storage.database import COMMANDS

    service = open_service(settings, patience=COMMANDS)
    for user in administration.all_accounts(service):
        state = "disabled" if user.is_disabled else "active"
        click.echo(f"{user.id}\t{user.username}\t{user.email}\t{state}\t{user.created_at:%Y-%m-%d}")


@command.command("add")
@click.argument("username")
@click.argument("email")
@click.password_option(help="Asked for where it is not given.")
def add_command(username: str, email: str, password: str) -> None:
    """Make an account, also where registration is closed."""
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.services import accounts, open_service
    from rfm_backend.storage.database import COMMANDS

    made = accounts.add_user(
        open_service(settings, patience=COMMANDS), username=username, email=email, password=password
    )
    click.echo(f"Account {made.id} is made.")


@command.command("reset-password")
@click.argument("identifier")
@click.password_option(help="Asked for where it is not given.")
def reset_command(identifier: str, password: str) -> None:
    """Give an account a new password, which ends its logins."""
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.services import administration, open_service
    from rfm_backend.storage.database import COMMANDS

    administration.reset_password(open_service(settings, patience=COMMANDS), identifier, password)
    click.echo("The password is changed; every login of the account has ended.")


@command.command("disable")
@click.argument("identifier")
@click.option("--undo", is_flag=True, help="Let the account in again.")
def disable_command(identifier: str, *, undo: bool) -> None:
    """Keep an account out; its data stays."""
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.services import administration, open_service
    from rfm_backend.storage.database import COMMANDS

    administration.disable(
        open_service(settings, patience=COMMANDS), identifier, is_disabled=not undo
    )
    click.echo("The account is active again." if undo else "The account is disabled.")


@command.command("delete")
@click.argument("identifier")
@click.confirmation_option(prompt="Delete the account with all its files and results?")
def delete_command(identifier: str) -> None:
    """Delete an account with everything in it."""
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.services import administration, open_service
    from rfm_backend.storage.database import COMMANDS

    administration.delete(open_service(settings, patience=COMMANDS), identifier)
    click.echo("The account and everything in it are gone.")


@command.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
def backup_command(folder: Path) -> None:
    """Write database and files into a new FOLDER, while the service goes on.

    SECRET_KEY is not in it: keep it elsewhere, without it no password of the backup holds.
    """
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.cli.bars import Bars
    from rfm_backend.cli.console import make_console
    from rfm_backend.services.backups import back_up

    console = make_console(sys.stderr, no_color=settings.analysis.no_color)
    with Bars(console, words(settings.analysis.language)) as bars:
        back_up(settings, folder, bars)
    click.echo(
        f"The backup is in {folder}. It holds customers' data: keep it as safe as the service."
    )


@command.command("restore")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore_command(folder: Path) -> None:
    """Fill an empty service from the FOLDER of a backup.

    Every file is held against the hash it was uploaded with.
    """
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.cli.bars import Bars
    from rfm_backend.cli.console import make_console
    from rfm_backend.services.backups import restore

    console = make_console(sys.stderr, no_color=settings.analysis.no_color)
    with Bars(console, words(settings.analysis.language)) as bars:
        restored = restore(settings, folder, bars)
    click.echo(
        f"The service is as it was at {restored.made_at}; {restored.n_files} uploads are checked."
    )
    if restored.damaged:
        numbers = ", ".join(str(number) for number in restored.damaged)
        click.echo(f"The bytes of these uploads are missing or damaged: {numbers}", err=True)
        sys.exit(FAULT)
