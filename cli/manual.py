"""What `longlead --help` lists: every command, with the line that is said of it and where it is."""

from cli.lazy import Entry

_RUN, _ASK, _READ = "Run", "Ask and answer", "Read what stands"
_BACK, _CHECK = "Look back, and try otherwise", "Check the agent"

ENTRIES = (
    Entry(
        "serve",
        "cli.service:serve",
        "Run the API, a worker and, without LONGLEAD_DATABASE_URL, an embedded PostgreSQL, until interrupted.",
        _RUN,
    ),
    Entry(
        "worker",
        "cli.service:worker",
        "Run one more worker, anywhere the database can be reached, until interrupted.",
        _RUN,
    ),
    Entry(
        "status",
        "cli.status:status",
        "Say how the service is: workers and what they do, backlog, dead events, open questions, messages.",
        _RUN,
    ),
    Entry(
        "demo",
        "cli.service:demo",
        "Play a recorded building story against the real service, and show what the agent thinks, does and asks.",
        _RUN,
    ),
    Entry(
        "studio",
        "cli.studio:studio",
        "Run LangGraph's dev server over the buildings' threads, until interrupted. Nothing acts there.",
        _RUN,
    ),
    Entry("db", "cli.database:app", "Bring the database up to date, save it, bring it back.", _RUN),
    Entry("keys", "cli.keys:app", "See and check the API keys; give one a new secret.", _RUN),
    Entry("links", "cli.links:app", "Make links to pages, see their uses, and end them before their time.", _RUN),
    Entry("building", "cli.buildings:app", "Create, show, change and list buildings.", _ASK),
    Entry("vendors", "cli.vendors:app", "List, add and change the vendors of a building.", _ASK),
    Entry("events", "cli.events:app", "Send, list, show and retry events.", _ASK),
    Entry("approvals", "cli.approvals:app", "Read the agent's questions, and answer them.", _ASK),
    Entry(
        "messages",
        "cli.messages:app",
        "List messages and orders for outside, and send again what reached nobody.",
        _ASK,
    ),
    Entry("rules", "cli.rules:app", "See what was learned from people's answers, and correct it.", _ASK),
    Entry("delegations", "cli.delegations:app", "Say what may be decided without asking, and take it back.", _ASK),
    Entry("items", "cli.records:items", "Read the procurement log, line by line.", _READ),
    Entry("orders", "cli.records:orders", "Read purchase orders.", _READ),
    Entry("shipments", "cli.records:shipments", "Read deliveries under way and received.", _READ),
    Entry("inspections", "cli.records:inspections", "Read inspections planned, passed and failed.", _READ),
    Entry("schedule", "cli.records:schedule", "Read the schedule.", _READ),
    Entry("flags", "cli.records:flags", "List what people should look at in a building, as it was raised.", _READ),
    Entry(
        "actions",
        "cli.logs:actions",
        "List what the agent did in a building, in the order in which it was done.",
        _READ,
    ),
    Entry(
        "decisions",
        "cli.logs:decisions",
        "List what rules, models and people decided in a building, with their reasons, in order.",
        _READ,
    ),
    Entry(
        "history",
        "cli.history:history",
        "Look back: the agent's steps, the newest first, or its state at one of them.",
        _BACK,
    ),
    Entry("fork", "cli.forks:app", "Sandboxes of a building as it was: what if?", _BACK),
    Entry(
        "backtest",
        "cli.backtest:backtest",
        "Run recorded histories again on sandboxes, under changed settings, and show what comes out differently.",
        _BACK,
    ),
    Entry(
        "evals",
        "cli.evals:evals",
        "Play the recorded scenarios through the real graph and PostgreSQL, and judge what the agent did.",
        _CHECK,
    ),
    Entry(
        "record",
        "cli.record:record",
        "Turn a building's history (events, answers, time) into a scenario for `longlead evals`.",
        _CHECK,
    ),
)
"""Every command, in the order of the manual."""
