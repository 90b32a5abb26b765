"""The rules of the wire, in raw HTTP: encoding, keys, errors, idempotency, lists, expansion."""

from __future__ import annotations

import base64
import concurrent.futures

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, Marketplace


def test_nested_indexed_and_empty_brackets_are_one_and_the_same(emulator: Emulator) -> None:
    for expand in ("expand[0]=customer", "expand[]=customer", "expand%5B%5D=customer"):
        status, _, intent = emulator.api(
            "POST",
            "/v1/payment_intents",
            f"amount=500&currency=USD&metadata[a]=1&metadata%5Bb%5D=x%20y&{expand}",
        )
        assert status == 200
        assert intent["metadata"] == {"a": "1", "b": "x y"}
        assert intent["currency"] == "usd"


@pytest.mark.parametrize(
    ("body", "code", "param", "message"),
    [
        ("currency=usd", "parameter_missing", "amount", "Missing required param: amount."),
        (
            "amount=5&currency=usd",
            "amount_too_small",
            "amount",
            "Amount must be at least $0.50 usd",
        ),
        ("amount=x&currency=usd", "parameter_invalid_integer", "amount", "Invalid integer: x"),
        ("amount=0&currency=usd", "parameter_invalid_integer", "amount", None),
        ("amount=&currency=usd", "parameter_invalid_empty", "amount", None),
        ("amount=999999999&currency=usd", "amount_too_large", "amount", None),
        ("amount=500&currency=zzz", None, "currency", None),
        ("amount=500&currency=usd&colour=red", "parameter_unknown", "colour", None),
        ("amount=500&currency=usd&shipping[x]=1", "parameter_unknown", "shipping[x]", None),
        (
            "amount=500&currency=usd&payment_method_types[0]=card",
            "payment_method_types_no_longer_supported",
            "payment_method_types",
            None,
        ),
        ("amount=500&currency=usd&capture_method=later", None, "capture_method", None),
        ("amount=500&currency=usd&confirm=maybe", None, "confirm", "Invalid boolean: maybe"),
        ("amount=500&currency=usd&customer=cus_no", "resource_missing", "customer", None),
        ("amount=5001&currency=kwd", "parameter_invalid_integer", "amount", None),
        ("amount=500&amount[x]=1&currency=usd", None, "amount[x]", None),
    ],
)
def test_bad_parameters_are_refused_in_stripes_words(
    emulator: Emulator, body: str, code: str | None, param: str, message: str | None
) -> None:
    status, headers, answer = emulator.api("POST", "/v1/payment_intents", body)
    error = answer["error"]
    assert (status, error["type"], error.get("code")) == (400, "invalid_request_error", code)
    assert error.get("param") == param
    assert message is None or error["message"] == message
    assert headers["Request-Id"].startswith("req_")
    assert emulator.state()["objects"].get("payment_intent", []) == []


def test_unknown_routes_and_ids_are_404_and_gaps_are_501(emulator: Emulator) -> None:
    for method, path, status in (
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/payment_intents/", 404),
        ("DELETE", "/v1/payment_intents/pi_1", 404),
        ("GET", "/v1/charges/ch_none", 404),
        ("GET", "/v1/issuing/cards", 501),
        ("POST", "/v1/terminal/readers", 501),
    ):
        answered, _, body = emulator.api(method, path)
        assert answered == status, (method, path, body)
    _, _, body = emulator.api("GET", "/v1/charges/ch_none")
    assert body["error"]["message"] == "No such charge: 'ch_none'"
    assert (body["error"]["code"], body["error"]["param"]) == ("resource_missing", "id")
    _, _, body = emulator.api("GET", "/v1/payment_intents/pi_none")
    assert body["error"]["param"] == "intent"


def test_a_parameter_that_stripe_knows_and_the_emulator_does_not_is_a_501(
    emulator: Emulator,
) -> None:
    status, _, body = emulator.api(
        "POST", "/v1/payment_intents", "amount=500&currency=usd&confirmation_token=ctoken_1"
    )
    assert status == 501
    assert "confirmation_token" in body["error"]["message"]


def test_keys_are_checked_and_never_shown(emulator: Emulator) -> None:
    status, _, answer = emulator.raw("GET", "/v1/balance")
    assert status == 401
    wrong = "_".join(("sk", "test", "wrongwrongwrong1234"))
    status, _, answer = emulator.raw(
        "GET", "/v1/balance", headers={"Authorization": f"Bearer {wrong}"}
    )
    assert status == 401
    assert b"wrongwrong" not in answer
    assert b"1234" in answer
    encoded = base64.b64encode(f"{emulator.secret_key}:".encode()).decode()
    basic = {"Authorization": f"Basic {encoded}"}
    assert emulator.raw("GET", "/v1/balance", headers=basic)[0] == 200


def test_a_body_that_is_not_a_form_is_refused(emulator: Emulator) -> None:
    headers = {
        "Authorization": f"Bearer {emulator.secret_key}",
        "Content-Type": "application/json",
    }
    status, _, _ = emulator.raw("POST", "/v1/customers", b'{"name": "x"}', headers)
    assert status == 400
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    assert emulator.raw("POST", "/v1/customers", b"name=%ff", headers)[0] == 400
    assert emulator.raw("POST", "/v1/customers", b"name=\xff", headers)[0] == 400


def test_metadata_merges_key_by_key_and_is_emptied_as_a_whole(stripe: StripeClient) -> None:
    customer = stripe.v1.customers.create({"metadata": {"a": "1", "b": "2"}})

    def update(metadata: object) -> dict[str, str]:
        changed = stripe.v1.customers.update(customer.id, {"metadata": metadata})  # type: ignore[typeddict-item]
        assert changed.metadata is not None
        found: dict[str, str] = changed.metadata.to_dict()
        return found

    assert update({"b": "3", "c": "4"}) == {"a": "1", "b": "3", "c": "4"}
    assert update({"a": ""}) == {"b": "3", "c": "4"}
    assert update("") == {}
    for bad in ({"k" * 41: "v"}, {"k": "v" * 501}, {f"k{n}": "v" for n in range(51)}):
        with pytest.raises(sdk.InvalidRequestError):
            update(bad)


def test_lists_go_newest_first_and_pages_meet_without_gap(stripe: StripeClient) -> None:
    made = [stripe.v1.customers.create({"name": str(n)}).id for n in range(25)]
    first = stripe.v1.customers.list({"limit": 10})
    assert [c.id for c in first.data] == made[:14:-1]
    assert first.has_more
    assert [c.id for c in first.auto_paging_iter()] == made[::-1]
    before = stripe.v1.customers.list({"limit": 3, "ending_before": made[10]})
    assert [c.id for c in before.data] == made[13:10:-1]
    assert before.has_more
    assert not stripe.v1.customers.list({"limit": 100}).has_more
    for params in ({"limit": 101}, {"limit": 0}, {"starting_after": "cus_no"}):
        with pytest.raises(sdk.InvalidRequestError):
            stripe.v1.customers.list(params)  # type: ignore[arg-type]


def test_lists_are_cut_by_creation_and_filtered_by_reference(
    stripe: StripeClient, market: Marketplace, emulator: Emulator
) -> None:
    early = stripe.v1.customers.create({"email": "a@example.com"})
    emulator.advance(100)
    late = stripe.v1.customers.create({"email": "b@example.com"})

    def ids(**params: object) -> list[str]:
        return [c.id for c in stripe.v1.customers.list(params).data]  # type: ignore[arg-type]

    assert ids(created={"gt": early.created}) == [late.id]
    assert ids(created={"lt": late.created}) == [early.id]
    assert ids(created={"gte": early.created, "lte": late.created}) == [late.id, early.id]
    assert ids(created=early.created) == [early.id]
    assert ids(email="b@example.com") == [late.id]
    one, other = market.payment(), market.payment()
    charges = stripe.v1.charges.list({"payment_intent": one.id}).data
    assert [c.id for c in charges] == [one.latest_charge.id]
    sources = stripe.v1.balance_transactions.list({"source": other.latest_charge.id}).data
    assert [t.id for t in sources] == [other.latest_charge.balance_transaction.id]


def test_events_of_several_types_page_without_gap(stripe: StripeClient) -> None:
    customers = [stripe.v1.customers.create({"name": str(n)}).id for n in range(6)]
    for id in customers:
        stripe.v1.customers.update(id, {"name": "x"})
        stripe.v1.customers.delete(id)
    types = ["customer.created", "customer.deleted"]
    every = [e.id for e in stripe.v1.events.list({"types": types, "limit": 100}).data]
    assert len(every) == 12
    paged = stripe.v1.events.list({"types": types, "limit": 5})
    assert [event.id for event in paged.auto_paging_iter()] == every
    before = stripe.v1.events.list({"types": types, "limit": 3, "ending_before": every[5]})
    assert [event.id for event in before.data] == every[2:5]
    since = paged.data[0].created
    assert len(stripe.v1.events.list({"types": types, "created": {"gt": since}}).data) == 0


def test_expansion_goes_through_lists_hashes_and_references(
    stripe: StripeClient, market: Marketplace
) -> None:
    customer = stripe.v1.customers.create({"email": "c@example.com"})
    payment = market.payment(customer=customer.id, setup_future_usage="off_session")
    listed = stripe.v1.payment_intents.list(
        {
            "expand": [
                "data.latest_charge.balance_transaction.source",
                "data.customer",
                "data.payment_method.customer",
            ]
        }
    ).data[0]
    assert listed.customer.email == "c@example.com"
    assert listed.latest_charge.balance_transaction.source.id == payment.latest_charge.id
    assert listed.payment_method.customer.id == customer.id
    for bad in ("nothing", "id", "metadata", "latest_charge.amount", "a.b.c.d.e.f", "currency"):
        with pytest.raises(sdk.InvalidRequestError):
            stripe.v1.payment_intents.retrieve(payment.id, {"expand": [bad]})
    assert isinstance(stripe.v1.payment_intents.retrieve(payment.id).customer, str)


def test_a_repeated_key_answers_the_first_answer_and_does_nothing_again(
    emulator: Emulator,
) -> None:
    def post(body: str, key: str = "k1", path: str = "/v1/customers") -> tuple[int, dict, dict]:  # type: ignore[type-arg]
        status, headers, answer = emulator.api("POST", path, body, Idempotency_Key=key)
        return status, dict(headers), answer

    status, headers, first = post("name=a")
    assert status == 200
    assert headers["Original-Request"] == headers["Request-Id"]
    assert "Idempotent-Replayed" not in headers
    status, again, replayed = post("name=a")
    assert (status, replayed) == (200, first)
    assert again["Idempotent-Replayed"] == "true"
    assert again["Original-Request"] == headers["Request-Id"] != again["Request-Id"]
    for body, path in (("name=b", "/v1/customers"), ("name=a", "/v1/products")):
        status, _, answer = post(body, path=path)
        if status != 501:
            assert (status, answer["error"]["type"]) == (400, "idempotency_error")
            assert "Keys for idempotent requests" in answer["error"]["message"]
    assert len(emulator.state()["objects"]["customer"]) == 1


def test_keys_are_forgotten_after_a_day(emulator: Emulator) -> None:
    _, _, first = emulator.api("POST", "/v1/customers", "name=a", Idempotency_Key="day")
    emulator.advance(86399)
    _, _, same = emulator.api("POST", "/v1/customers", "name=a", Idempotency_Key="day")
    emulator.advance(1)
    _, _, new = emulator.api("POST", "/v1/customers", "name=a", Idempotency_Key="day")
    assert same["id"] == first["id"] != new["id"]


def test_refusals_before_the_operation_are_not_kept_and_later_ones_are(
    emulator: Emulator, market: Marketplace
) -> None:
    path = "/v1/payment_intents"
    assert emulator.api("POST", path, "currency=usd", Idempotency_Key="v")[0] == 400
    assert emulator.api("POST", path, "amount=500&currency=usd", Idempotency_Key="v")[0] == 200
    body = "amount=500&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined"
    status, _, declined = emulator.api("POST", path, body, Idempotency_Key="d")
    assert status == 402
    status, headers, again = emulator.api("POST", path, body, Idempotency_Key="d")
    assert (status, again, headers["Idempotent-Replayed"]) == (402, declined, "true")
    account = market.account()
    body = f"amount=500&currency=usd&destination={account.id}"
    assert emulator.api("POST", "/v1/transfers", body, Idempotency_Key="t")[0] == 400
    market.payment(card="pm_card_bypassPending")
    status, _, kept = emulator.api("POST", "/v1/transfers", body, Idempotency_Key="t")
    assert (status, kept["error"]["code"]) == (400, "balance_insufficient")


def test_keys_belong_to_one_account(emulator: Emulator, market: Marketplace) -> None:
    account = market.account()
    _, _, platform = emulator.api("POST", "/v1/customers", "name=a", Idempotency_Key="s")
    _, headers, own = emulator.api(
        "POST", "/v1/customers", "name=a", Idempotency_Key="s", Stripe_Account=account.id
    )
    assert own["id"] != platform["id"]
    assert headers["Stripe-Account"] == account.id


def test_many_at_once_with_one_key_make_one_object(emulator: Emulator) -> None:
    def post(_: int) -> str:
        _, _, answer = emulator.api("POST", "/v1/customers", "name=a", Idempotency_Key="race")
        found: str = answer["id"]
        return found

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(post, range(32)))) == 1


def test_a_request_that_fails_half_way_leaves_nothing(emulator: Emulator) -> None:
    before = emulator.state()["objects"]
    status, _, _ = emulator.api(
        "POST",
        "/v1/payment_intents",
        "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa&expand[0]=nothing",
    )
    assert status == 400
    assert emulator.state()["objects"] == before


def test_deleted_customers_say_so_and_take_no_payments(stripe: StripeClient) -> None:
    customer = stripe.v1.customers.create({"name": "x"})
    assert stripe.v1.customers.delete(customer.id).deleted
    assert stripe.v1.customers.retrieve(customer.id).deleted
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.payment_intents.create(
            {"amount": 500, "currency": "usd", "customer": customer.id}
        )


def test_versions_must_look_like_versions_and_answers_tell_the_one_they_have(
    emulator: Emulator,
) -> None:
    status, _, answer = emulator.api("GET", "/v1/customers", Stripe_Version="banana")
    assert (status, answer["error"]["message"]) == (400, "Invalid Stripe API version: banana")
    status, headers, _ = emulator.api("GET", "/v1/customers", Stripe_Version="2024-06-20")
    assert (status, headers["Stripe-Version"]) == (200, "2026-10-28.endive")


def test_a_list_takes_one_cursor_only(emulator: Emulator) -> None:
    ids = [emulator.api("POST", "/v1/customers")[2]["id"] for _ in range(2)]
    both = f"/v1/customers?starting_after={ids[0]}&ending_before={ids[1]}"
    status, _, answer = emulator.api("GET", both)
    assert (status, answer["error"]["param"]) == (400, "starting_after")


def test_what_was_deleted_is_not_found_by_those_who_change_it(emulator: Emulator) -> None:
    path = f"/v1/customers/{emulator.api('POST', '/v1/customers')[2]['id']}"
    assert emulator.api("DELETE", path)[2]["deleted"] is True
    assert emulator.api("GET", path)[2]["deleted"] is True
    for method in ("POST", "DELETE"):
        status, _, answer = emulator.api(method, path)
        assert (status, answer["error"]["code"]) == (404, "resource_missing")


def test_the_v2_api_is_said_to_be_missing(emulator: Emulator) -> None:
    assert emulator.api("GET", "/v2/core/accounts")[0] == 501
