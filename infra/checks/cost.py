"""What a month costs at list prices: every figure in docs/cost.md follows from the prices and counts below.

Usage: python -m infra.checks.cost   (writes the tables in docs/cost.md)
"""

import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from infra.checks.finding import Finding
from infra.checks.modules import ROOT

DOCUMENT = ROOT / "docs" / "cost.md"
RATES_MB_S = (1, 10, 100)
HOURS = 730
MONTH_S = HOURS * 3600
_SECTION = re.compile(r"(<!-- cost: (\w+) -->\n).*?(<!-- /cost -->)", re.DOTALL)

PRICES: Mapping[str, float] = {
    # USD, us-east-1, on demand, first tier, without free tiers. Where each was found is in SOURCES.
    "S3 PUT, LIST (1,000)": 0.005,
    "S3 GET, HEAD (1,000)": 0.0004,
    "S3 Standard (GB-month)": 0.023,
    "SQS (million requests)": 0.40,
    "EC2 m7g.large, 2 vCPU, 8 GiB (hour)": 0.0816,
    "Interface endpoint (hour and zone)": 0.01,
    "Interface endpoint (GB)": 0.01,
    "Application Load Balancer (hour)": 0.0225,
    "Load balancer capacity unit, 1 GB (hour)": 0.008,
    "Firehose, direct PUT (GB)": 0.029,
    "Firehose, to Parquet (GB)": 0.018,
    "Lambda (GB-second)": 0.0000166667,
    "Lambda (million requests)": 0.20,
    "Glue (DPU-hour)": 0.44,
    "Kinesis on demand, in (GB)": 0.08,
    "Kinesis on demand, out (GB)": 0.04,
    "Kinesis on demand (stream-hour)": 0.04,
    "Kinesis on-demand Advantage, in (GB)": 0.032,
    "Kinesis on-demand Advantage, out (GB)": 0.016,
    "Managed Flink (KPU-hour)": 0.11,
    "Managed Flink, storage (GB-month)": 0.10,
    "API Gateway, HTTP API (million of 512 KB)": 1.00,
    "Athena (TB scanned)": 5.00,
}


def _transcribed(provider: str, on: str) -> str:
    place = f"https://raw.githubusercontent.com/api-evangelist/{provider}/refs/heads/main/plans/{provider}-plans-pricing.yml"
    return f"AWS's page as [transcribed]({place}) on {on}"


_S3_BLOG = "[c3x.dev](https://c3x.dev/blog/s3-request-fees-explained), no date"
_ALB = _transcribed("amazon-elastic-load-balancing", "20 September 2026")
_FLINK = _transcribed("kinesis", "20 September 2026")
_TREK10 = (
    "[Trek10](https://www.trek10.com/blog/"
    "amazon-kinesis-data-streams-on-demand-vs.-provisioned-billing-mode-cost-comparison), us-east-1, September 2023"
)
_ADVANTAGE = (
    "reckoned: [AWS's guide](https://docs.aws.amazon.com/streams/latest/dev/how-do-i-size-a-stream.html) "
    "says at least 60 % below on demand"
)
SOURCES: Mapping[str, str] = {
    # Looked up on 26 November 2026 in copies of pages; AWS's own draw most tables by script, which no copy has.
    # A price without a source here is as it was known, and the page says so.
    "S3 PUT, LIST (1,000)": _S3_BLOG,
    "S3 GET, HEAD (1,000)": _S3_BLOG,
    "S3 Standard (GB-month)": "[a note](https://gist.github.com/EverettBerry/a37438006529a55f42da6fdbc44a505c) "
    "of July 2022",
    "SQS (million requests)": "[CloudBurn](https://cloudburn.io/blog/amazon-sqs-pricing), us-east-1, March 2026",
    "EC2 m7g.large, 2 vCPU, 8 GiB (hour)": "[FactualMinds]"
    "(https://www.factualminds.com/blog/amazon-ec2-on-demand-pricing-instance-families-2026/), us-east-1, June 2026",
    "Interface endpoint (hour and zone)": "[c3x.dev](https://c3x.dev/resources/aws/aws_vpc_endpoint), no date",
    "Interface endpoint (GB)": "[AWS](https://aws.amazon.com/jp/privatelink/pricing/), no date",
    "Application Load Balancer (hour)": _ALB,
    "Load balancer capacity unit, 1 GB (hour)": _ALB,
    "Lambda (GB-second)": "[Artillery]"
    "(https://app.unpkg.com/artillery@2.0.28/files/lib/platform/aws-lambda/prices.js), no date",
    "Lambda (million requests)": "[a note](https://gist.github.com/thiagozs/019a25fbcbd987209ef1d25e10d0dde9) "
    "of March 2023",
    "Glue (DPU-hour)": _transcribed("amazon-glue-databrew", "7 October 2026") + ", for other work by the DPU than jobs",
    "Kinesis on demand, in (GB)": _TREK10,
    "Kinesis on demand, out (GB)": _TREK10,
    "Kinesis on demand (stream-hour)": _TREK10,
    "Kinesis on-demand Advantage, in (GB)": _ADVANTAGE,
    "Kinesis on-demand Advantage, out (GB)": _ADVANTAGE,
    "Managed Flink (KPU-hour)": _FLINK,
    "Managed Flink, storage (GB-month)": _FLINK,
    "API Gateway, HTTP API (million of 512 KB)": "[AWS](https://docs.aws.amazon.com/fr_fr/whitepapers/latest/"
    "best-practices-api-gateway-private-apis-integration/cost-optimization.html), us-east-1, no date",
    "Athena (TB scanned)": "[athena-cost-guard](https://pypi.org/project/athena-cost-guard/0.2.0/), us-east-1, no date",
}
_NO_SOURCE = "none found; as known in November 2026"


@dataclass(frozen=True)
class Measured:
    """What `make bench` counted, see docs/performance.md: a steady flow into one stream with one window of a minute."""

    per_object: Mapping[str, float]
    """Requests for each landed object."""
    per_second: Mapping[str, float]
    """Requests for each second of a stream, however many objects land."""
    lake_bytes_per_byte: float
    raw_bytes_per_byte: float


# 60 objects in 45 s. What is asked once an object scales with objects; results, listings and commits follow the clock.
MEASURED = Measured(
    per_object={"PUT": 3.0, "LIST": 1.95, "GET": 5.65, "HEAD": 1.07, "SQS": 8.2 + 1},
    per_second={"PUT": 3.49, "LIST": 5.89, "GET": 6.78},
    lake_bytes_per_byte=0.068,
    raw_bytes_per_byte=0.037,
)


@dataclass(frozen=True)
class Assumed:
    """What nobody measured: change it to your own."""

    linger_s: float = 0.1
    """WINDROW_LINGER_S of ingest: each task lands an object of a stream this often, or when 8 MiB are full."""
    ingest_tasks: int = 2
    """One in each zone; each groups what it is given."""
    max_object_mb: float = 8.39
    stream_mb_per_s: float = 10.0
    """Load of one stream; more is more streams."""
    vcpu_per_mb_s: float = 1.0
    """Of all services together, with room to spare. Not measured on AWS: measure yours."""
    min_hosts: int = 4
    """Two zones, and ingest on hosts of its own."""
    kept_months: float = 1.0
    endpoints: int = 13
    """Interface endpoints of `modules/pipeline` with containers on ECS."""
    zones: int = 2
    request_kb: float = 512.0
    """Of a request to API Gateway, which counts each 512 KB begun. A record a request costs thousands of times that."""
    lambda_s_per_mb: float = 0.3
    """Seconds of a function with 1 GB of memory that decodes and checks 1 MB."""
    dpu_per_mb_s: float = 1.0
    kpu_per_mb_s: float = 1.0
    advantage_floor_mb_s: float = 26.2
    """Kinesis on-demand Advantage is paid for as if 25 MiB/s came in and went out at least."""


_AS_WRITTEN = Assumed()


def windrow(mb_s: float, assumed: Assumed = _AS_WRITTEN, measured: Measured = MEASURED) -> dict[str, float]:
    """USD a month, by what they are for."""
    streams = max(1, math.ceil(mb_s / assumed.stream_mb_per_s))
    objects = max(streams * assumed.ingest_tasks / assumed.linger_s, mb_s / assumed.max_object_mb)
    per_s = {
        kind: measured.per_object.get(kind, 0) * objects + measured.per_second.get(kind, 0) * streams
        for kind in ("PUT", "LIST", "GET", "HEAD", "SQS")
    }
    hosts = max(assumed.min_hosts, math.ceil(mb_s * assumed.vcpu_per_mb_s / 2))
    gb = _gb(mb_s)
    requests = (per_s["PUT"] + per_s["LIST"]) * PRICES["S3 PUT, LIST (1,000)"] / 1_000
    requests += (per_s["GET"] + per_s["HEAD"]) * PRICES["S3 GET, HEAD (1,000)"] / 1_000
    return {
        "S3 requests": requests * MONTH_S,
        "SQS requests": per_s["SQS"] * PRICES["SQS (million requests)"] / 1e6 * MONTH_S,
        "hosts": hosts * PRICES["EC2 m7g.large, 2 vCPU, 8 GiB (hour)"] * HOURS,
        "endpoints and front": _network(mb_s, assumed),
        "storage": gb
        * assumed.kept_months
        * (measured.lake_bytes_per_byte + measured.raw_bytes_per_byte)
        * PRICES["S3 Standard (GB-month)"],
    }


def firehose(mb_s: float, assumed: Assumed = _AS_WRITTEN, measured: Measured = MEASURED) -> dict[str, float]:
    """Firehose with a Lambda transformation and Parquet, and a Glue streaming job for the windows."""
    gb = _gb(mb_s)
    dpu = max(2, math.ceil(mb_s * assumed.dpu_per_mb_s))
    return {
        "Firehose": gb * (PRICES["Firehose, direct PUT (GB)"] + PRICES["Firehose, to Parquet (GB)"]),
        "Lambda": mb_s * MONTH_S * assumed.lambda_s_per_mb * PRICES["Lambda (GB-second)"]
        + mb_s * MONTH_S / 3 * PRICES["Lambda (million requests)"] / 1e6,
        "Glue": dpu * PRICES["Glue (DPU-hour)"] * HOURS,
        "storage": gb * assumed.kept_months * measured.lake_bytes_per_byte * PRICES["S3 Standard (GB-month)"],
    }


def flink(mb_s: float, assumed: Assumed = _AS_WRITTEN, measured: Measured = MEASURED) -> dict[str, float]:
    """Kinesis on demand, read once, in the mode that costs less, and a Managed Flink application that writes to S3."""
    gb = _gb(mb_s)
    kpu = max(1, math.ceil(mb_s * assumed.kpu_per_mb_s))
    standard = gb * (PRICES["Kinesis on demand, in (GB)"] + PRICES["Kinesis on demand, out (GB)"])
    standard += PRICES["Kinesis on demand (stream-hour)"] * HOURS
    advantage = PRICES["Kinesis on-demand Advantage, in (GB)"] + PRICES["Kinesis on-demand Advantage, out (GB)"]
    return {
        "Kinesis": min(standard, advantage * max(gb, _gb(assumed.advantage_floor_mb_s))),
        "Flink": (kpu + 1) * PRICES["Managed Flink (KPU-hour)"] * HOURS
        + kpu * 50 * PRICES["Managed Flink, storage (GB-month)"],
        "storage": gb * assumed.kept_months * measured.lake_bytes_per_byte * PRICES["S3 Standard (GB-month)"],
    }


def _gb(mb_s: float) -> float:
    return mb_s * MONTH_S / 1e3


def _network(mb_s: float, assumed: Assumed) -> float:
    """Interface endpoints (S3 and DynamoDB go through gateways, which are free), API Gateway and a load balancer."""
    endpoints = assumed.endpoints * assumed.zones * PRICES["Interface endpoint (hour and zone)"] * HOURS
    units = max(1.0, mb_s * 3.6)  # one unit takes 1 GB an hour
    balancer = PRICES["Application Load Balancer (hour)"] + units * PRICES["Load balancer capacity unit, 1 GB (hour)"]
    million_requests = mb_s * 1e3 / assumed.request_kb * math.ceil(assumed.request_kb / 512) * MONTH_S / 1e6
    api = million_requests * PRICES["API Gateway, HTTP API (million of 512 KB)"]
    return endpoints + balancer * HOURS + api


def table(name: str) -> str:
    """A table of docs/cost.md, by the name in its mark."""
    match name:
        case "prices":
            rows = ["| what | USD | found in |", "| --- | ---: | --- |"]
            rows += [f"| {what} | {price:g} | {SOURCES.get(what, _NO_SOURCE)} |" for what, price in PRICES.items()]
            return "\n".join(rows)
        case "windrow":
            return _by_rate(windrow, Assumed())
        case "linger":
            return _by_rate(windrow, replace(Assumed(), linger_s=1.0))
        case "firehose":
            return _by_rate(firehose, Assumed())
        case "flink":
            return _by_rate(flink, Assumed())
        case "beside":
            return _beside()
    raise KeyError(name)


def _by_rate(model: Callable[[float, Assumed], dict[str, float]], assumed: Assumed) -> str:
    found = {rate: model(rate, assumed) for rate in RATES_MB_S}
    rows = [f"| USD a month | {' | '.join(f'{rate} MB/s' for rate in RATES_MB_S)} |", "| --- | ---: | ---: | ---: |"]
    rows += [
        f"| {what} | {' | '.join(f'{found[rate][what]:,.0f}' for rate in RATES_MB_S)} |"
        for what in found[RATES_MB_S[0]]
    ]
    totals = (f"**{sum(found[rate].values()):,.0f}**" for rate in RATES_MB_S)
    return "\n".join([*rows, f"| **all** | {' | '.join(totals)} |"])


def _beside() -> str:
    slow = replace(Assumed(), linger_s=1.0)
    lines = {
        "Windrow, an object every 0.1 s": [windrow(rate) for rate in RATES_MB_S],
        "Windrow, an object every 1 s": [windrow(rate, slow) for rate in RATES_MB_S],
        "Firehose + Lambda + Glue": [firehose(rate) for rate in RATES_MB_S],
        "Kinesis + Flink": [flink(rate) for rate in RATES_MB_S],
    }
    rows = [f"| USD a month | {' | '.join(f'{rate} MB/s' for rate in RATES_MB_S)} |", "| --- | ---: | ---: | ---: |"]
    rows += [f"| {name} | {' | '.join(f'{sum(one.values()):,.0f}' for one in by)} |" for name, by in lines.items()]
    return "\n".join(rows)


def page(text: str) -> str:
    """The document with its tables as they follow from the prices."""
    return _SECTION.sub(lambda found: f"{found[1]}\n{table(found[2])}\n\n{found[3]}", text)


def check() -> Iterator[Finding]:
    """Whether docs/cost.md says what follows from the prices."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if page(text) != text:
        yield Finding(DOCUMENT, 0, "the tables do not follow from the prices", "run `make reference`")


if __name__ == "__main__":
    DOCUMENT.write_text(page(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT.relative_to(ROOT)}\n")
