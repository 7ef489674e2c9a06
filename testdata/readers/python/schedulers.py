"""Reads a block of docs/operate.md as the scheduler that it is for does: cron, kubernetes or airflow, from stdin."""

import ast
import sys


def cron(text):
    from croniter import croniter

    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    variables = [line for line in lines if "=" in line.split(" ", 1)[0]]
    (entry,) = [line for line in lines if line not in variables]
    assert "%" not in entry, "cron takes a % for the end of the line"
    fields = entry.split()
    croniter(" ".join(fields[:5]))
    assert fields[6].startswith("/"), "after the times comes a user, then the command's path"


def kubernetes(text):
    from zoneinfo import ZoneInfo

    import yaml
    from croniter import croniter
    from kubernetes_validate import validate

    job = yaml.safe_load(text)
    validate(job, "1.30", strict=True)
    croniter(job["spec"]["schedule"])
    ZoneInfo(job["spec"]["timeZone"])


def keywords(module, name):
    """The keywords that a class takes, read from its source: Airflow itself is large."""
    from importlib.metadata import files

    for package in ("apache-airflow-task-sdk", "apache-airflow-providers-standard"):
        for file in files(package):
            if str(file) == module.replace(".", "/") + ".py":
                return taken(ast.parse(file.read_text()), name)
    raise LookupError(module)


def taken(tree, name):
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    names = {node.target.id for node in body if isinstance(node, ast.AnnAssign)}
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            names |= {arg.arg for arg in node.args.args + node.args.kwonlyargs}
    return names


def airflow(text):
    from croniter import croniter

    tree = ast.parse(text)
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    known = {
        "DAG": keywords("airflow.sdk.definitions.dag", "DAG"),
        "BashOperator": keywords("airflow.providers.standard.operators.bash", "BashOperator")
        | keywords("airflow.sdk.bases.operator", "BaseOperator"),
    }
    assert set(known) <= imported
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") in known]
    assert {call.func.id for call in calls} == set(known)
    for call in calls:
        unknown = {keyword.arg for keyword in call.keywords} - known[call.func.id]
        assert not unknown, f"{call.func.id} does not take {unknown}"
        for keyword in call.keywords:
            if keyword.arg == "schedule":
                croniter(ast.literal_eval(keyword.value))


if __name__ == "__main__":
    {"cron": cron, "kubernetes": kubernetes, "airflow": airflow}[sys.argv[1]](sys.stdin.read())
