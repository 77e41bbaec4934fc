"""`windrow test`: the cases that stand beside specs."""

from pathlib import Path

from windrow.cases import Verdict, judge, parse_cases
from windrow.errors import BadInput, BadSettings
from windrow_cli.cells import shown
from windrow_cli.context import AsJson, Injected
from windrow_cli.specs import CASES_SUFFIX, read_spec, spec_files


def test(*specs: Path, as_json: AsJson = False, context: Injected) -> int:  # noqa: PT028  a command, not a test
    """Run the cases beside specs: `sensors.cases.yaml` beside `sensors.yaml`. Nothing is run or sent.

    A case says what goes in and which records, rejects, windows or status come out; what it does not say is not
    checked. Ends with 1 if any case does not hold.

    ```
    windrow test config/streams/sensors.yaml
    windrow test examples --json
    ```

    A file of cases:

    ```
    cases:
      - name: a reading becomes a record
        input: {ts: "2026-01-01T00:00:00Z", sensor: a, temperature: 21}
        records: [{sensor: a, temperature: 21.0}]
      - name: a word is not a temperature
        format: csv
        input: |
          ts,sensor,temperature
          2026-01-01T00:00:00Z,a,warm
        rejects: [{reason: wrong_type, line: 2, field: temperature}]
    ```

    Parameters
    ----------
    specs:
        Specs, or folders of them. Default: ./config, else ./examples.
    as_json:
        Print file, name and differences of every case as JSON.
    """
    found = [path for path in spec_files(specs) if _cases_of(path).is_file()]
    if not found:
        raise BadInput(f"there are no cases: put them beside a spec, as NAME{CASES_SUFFIX}")
    verdicts = [(path, verdict) for path in found for verdict in _run(path)]
    failed = sum(1 for _, verdict in verdicts if verdict.differences)
    if as_json:
        context.print_json(
            [
                {
                    "spec": str(path),
                    "case": verdict.name,
                    "ok": not verdict.differences,
                    "differences": list(verdict.differences),
                }
                for path, verdict in verdicts
            ]
        )
        return 1 if failed else 0
    for path, verdict in verdicts:
        mark = "[red]fails[/]" if verdict.differences else "[green]holds[/]"
        context.out.print(f"{mark}  {path.stem}: ", end="", highlight=False)
        context.out.print(shown(verdict.name), highlight=False, markup=False, soft_wrap=True)
        for difference in verdict.differences:
            context.out.print(f"         {shown(difference)}", highlight=False, markup=False, soft_wrap=True)
    held, many = len(verdicts) - failed, len(verdicts) != 1
    context.out.print(f"{held} of {len(verdicts)} {'cases hold' if many else 'case holds'}", highlight=False)
    return 1 if failed else 0


def _run(path: Path) -> list[Verdict]:
    spec = read_spec(path)
    cases = _cases_of(path)
    try:
        text = cases.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(str(cases), [f"cannot be read: {error}"]) from error
    verdicts = []
    for case in parse_cases(text, str(cases)):
        body = None
        if case.file is not None:
            try:
                body = (cases.parent / case.file).read_bytes()
            except OSError as error:
                verdicts.append(Verdict(case.name, (f"{case.file}: cannot be read: {error.strerror}",)))
                continue
        verdicts.append(judge(case, spec, body))
    return verdicts


def _cases_of(spec: Path) -> Path:
    return spec.with_name(spec.stem + CASES_SUFFIX)
