import pytest

from infra.checks.hcl import Binary, Call, Conditional, For, GetAttr, Index, Literal, Name, Node, Splat, Template
from infra.checks.parsing import NotHcl, parse


def expression(text: str) -> Node:
    value = parse(f"x = {text}\n").value("x")
    assert value is not None
    return value


def test_blocks_keep_labels_attributes_and_lines():
    content = parse('resource "aws_sqs_queue" "landed" {\n  name = "a"\n\n  timeouts {\n    create = "1m"\n  }\n}\n')

    (block,) = content.blocks
    assert (block.kind, block.labels, block.line) == ("resource", ("aws_sqs_queue", "landed"), 1)
    assert block.attributes["name"].line == 2
    assert [(inner.kind, inner.line) for inner in block.blocks] == [("timeouts", 4)]


def test_comments_are_kept_by_line():
    assert parse("a = 1 # why\n# checkov:skip=X: because\nb = 2\n").comments == {
        1: "# why",
        2: "# checkov:skip=X: because",
    }


def test_references_are_chains_of_names():
    assert expression("var.queues[each.key].arn") == GetAttr(
        1, Index(1, GetAttr(1, Name(1, "var"), "queues"), GetAttr(1, Name(1, "each"), "key")), "arn"
    )
    assert expression("aws_subnet.this[*].id") == Splat(1, GetAttr(1, Name(1, "aws_subnet"), "this"), ("id",))


def test_operators_bind_as_terraform_binds_them():
    assert expression("1 + 2 * 3 == 7 ? true : false") == Conditional(
        1,
        Binary(1, Binary(1, Literal(1, 1), "+", Binary(1, Literal(1, 2), "*", Literal(1, 3))), "==", Literal(1, 7)),
        Literal(1, True),
        Literal(1, False),
    )


def test_strings_keep_interpolations_and_resolve_escapes():
    assert expression(r'"a\"b\\n"') == Literal(1, 'a"b\\n')
    assert expression('"$${x}-${var.y}"') == Template(1, (Literal(1, "${x}-"), GetAttr(1, Name(1, "var"), "y")))


def test_heredocs_lose_their_margin_and_keep_interpolations_with_their_line():
    found = expression('<<-SQL\n    select "${var.a}"\n      from $${b}\n  SQL')

    assert found == Template(
        1, (Literal(2, 'select "'), GetAttr(1, Name(1, "var"), "a"), Literal(1, '"\n  from ${b}\n'))
    )


def test_for_expressions_keep_their_parts():
    assert expression("{ for k, v in var.x : k => v... if v != null }") == For(
        1,
        ("k", "v"),
        GetAttr(1, Name(1, "var"), "x"),
        Name(1, "k"),
        Name(1, "v"),
        Binary(1, Name(1, "v"), "!=", Literal(1, None)),
        groups=True,
    )
    assert expression("[for v in a : v]") == For(1, ("v",), Name(1, "a"), None, Name(1, "v"), None, groups=False)


def test_calls_know_whether_they_expand():
    assert expression("merge(a...)") == Call(1, "merge", (Name(1, "a"),), expands=True)
    assert expression("now()") == Call(1, "now", (), expands=False)


@pytest.mark.parametrize("text", ["a = \n", "resource {\n", 'x = "${"\n'])
def test_what_is_not_hcl_is_refused_with_its_line(text):
    with pytest.raises(NotHcl) as caught:
        parse(text)

    assert caught.value.line >= 1


def test_an_argument_given_twice_is_refused():
    with pytest.raises(NotHcl, match="sets 'a' a second time"):
        parse("a = 1\na = 2\n")
