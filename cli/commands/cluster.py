"""`nalanda cluster`."""

from typing import Annotated

import typer

from cli.connection import connect
from cli.options import JsonFlag
from cli.output.terminal import show_rows

app = typer.Typer(
    help="Show the nodes of a cluster, and let another one lead.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

HEADERS = ("id", "address", "role", "position", "lag", "libraries", "last seen")


@app.command()
def status(as_json: JsonFlag = False) -> None:
    """Show the nodes, and what is common to all of them."""
    with connect() as client:
        cluster = client.cluster.status()
    if as_json:
        typer.echo(cluster.model_dump_json(indent=2))
        return
    leader = "No node" if cluster.leader is None else cluster.leader.address
    durability = cluster.durability or "unknown"
    typer.echo(f"{leader} leads in epoch {cluster.epoch}. Durability: {durability}.")
    rows = (
        (
            each.node_id,
            each.address,
            each.role,
            each.position,
            each.lag,
            "all" if each.libraries is None else len(each.libraries),
            each.last_seen_at,
        )
        for each in cluster.nodes
    )
    show_rows(HEADERS, rows)


@app.command("hand-over")
def hand_over(
    to: Annotated[
        str | None, typer.Option(help="The id of the node that is to lead. Default: the furthest.")
    ] = None,
) -> None:
    """Let another node lead, and wait until it does. No write is refused meanwhile."""
    with connect() as client:
        begun = client.cluster.hand_over(to)
        cluster = client.cluster.wait_for_leader(begun)
    leader = cluster.leader
    assert leader is not None
    leads = f"{leader.node_id} at {leader.address} leads in epoch {cluster.epoch}."
    if leader.node_id != begun.to:
        typer.echo(f"nalanda: {begun.to} did not take over in time: {leads}", err=True)
        raise typer.Exit(1)
    typer.echo(leads)
