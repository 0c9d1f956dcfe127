//! Points 9 to 17 of what kernels get wrong: the requests, one by one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, where they are"
)]

use firesteel_tests::jupyter::client::{execution, kinds};
use firesteel_tests::jupyter::{Channel, Client, Kernel, Message, Options};
use serde_json::{Value, json};

async fn started() -> (Kernel, Client) {
    let kernel = Kernel::start();
    let client = Client::connect(&kernel.info).await;
    (kernel, client)
}

#[tokio::test]
async fn b2_09_no_comm_is_there_and_an_unknown_target_is_closed_at_once() {
    let (_kernel, mut client) = started().await;
    for content in [json!({}), json!({ "target_name": "jupyter.widget" })] {
        let done = client
            .ask(Channel::Shell, "comm_info_request", content)
            .await;
        assert_eq!(done.reply.content, json!({ "status": "ok", "comms": {} }));
        assert_eq!(done.kinds(), ["busy", "idle"]);
    }
    let open = json!({ "comm_id": "c1", "target_name": "nobody.knows", "data": {} });
    let id = client.send(Channel::Shell, "comm_open", open).await;
    let published = client.until_idle(&id).await;
    assert_eq!(kinds(&published), ["busy", "comm_close", "idle"]);
    assert_eq!(published[1].content["comm_id"], "c1");
    for message_type in ["comm_msg", "comm_close"] {
        let content = json!({ "comm_id": "c1", "data": {} });
        let id = client.send(Channel::Shell, message_type, content).await;
        assert_eq!(kinds(&client.until_idle(&id).await), ["busy", "idle"]);
    }
    assert!(
        client.unclaimed(Channel::Shell).is_empty(),
        "comms have no replies"
    );
}

fn entries(done: &Message) -> &Vec<Value> {
    assert_eq!(done.content["status"], "ok");
    done.content["history"].as_array().expect("a list")
}

#[tokio::test]
async fn b2_10_history_answers_all_three_ways_also_when_it_is_empty_and_outlives_the_kernel() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        history: Some(folder.path().join("history.jsonl")),
        ..Options::default()
    };
    let mut first = Kernel::with(options());
    let mut client = Client::connect(&first.info).await;
    for access in [
        json!({ "hist_access_type": "tail", "n": 10, "output": false, "raw": true }),
        json!({ "hist_access_type": "range", "session": 0, "start": 1, "stop": 5 }),
        json!({ "hist_access_type": "search", "pattern": "*", "n": 10 }),
        json!({}),
    ] {
        let done = client.ask(Channel::Shell, "history_request", access).await;
        assert!(entries(&done.reply).is_empty(), "{:?}", done.reply);
    }
    client.execute("print a").await;
    client.execute("print b").await;
    first.terminate();
    first.ended().await.unwrap();

    let second = Kernel::with(options());
    let mut client = Client::connect(&second.info).await;
    client.execute("print a").await;
    for (access, expected) in [
        (
            json!({ "hist_access_type": "tail", "n": 2 }),
            json!([[1, 2, "print b"], [2, 1, "print a"]]),
        ),
        (
            json!({ "hist_access_type": "tail", "n": 1, "output": true }),
            json!([[2, 1, ["print a", null]]]),
        ),
        (
            json!({ "hist_access_type": "range", "session": -1, "start": 1, "stop": 2 }),
            json!([[1, 1, "print a"]]),
        ),
        (
            json!({ "hist_access_type": "range", "session": 0, "start": 0, "stop": null }),
            json!([[2, 1, "print a"]]),
        ),
        (
            json!({ "hist_access_type": "search", "pattern": "*a", "n": 10, "unique": true }),
            json!([[2, 1, "print a"]]),
        ),
    ] {
        let what = access.to_string();
        let done = client.ask(Channel::Shell, "history_request", access).await;
        assert_eq!(
            Value::from(entries(&done.reply).clone()),
            expected,
            "{what}"
        );
    }
}

#[tokio::test]
async fn b2_11_is_complete_says_which_of_four_and_indents_what_is_not() {
    let (_kernel, mut client) = started().await;
    for (code, expected) in [
        ("print a", json!({ "status": "complete" })),
        (
            "print \\",
            json!({ "status": "incomplete", "indent": "    " }),
        ),
        ("invalid", json!({ "status": "invalid" })),
        ("unknown", json!({ "status": "unknown" })),
    ] {
        let content = json!({ "code": code });
        let done = client
            .ask(Channel::Shell, "is_complete_request", content)
            .await;
        assert_eq!(done.reply.content, expected, "{code}");
    }
}

#[tokio::test]
async fn b2_12_a_cursor_counts_code_points() {
    let (_kernel, mut client) = started().await;
    // One code point of four bytes and two UTF-16 units, one of two bytes, one of one.
    let code = "😀éx";
    for (cursor, before) in [
        (json!(0), ""),
        (json!(1), "😀"),
        (json!(2), "😀é"),
        (json!(3), "😀éx"),
        (json!(99), "😀éx"),
        (json!(null), "😀éx"),
    ] {
        let content = json!({ "code": code, "cursor_pos": cursor });
        let done = client
            .ask(Channel::Shell, "complete_request", content)
            .await;
        let reply = &done.reply.content;
        assert_eq!(reply["status"], "ok");
        assert_eq!(reply["matches"], json!([before]), "at {cursor}");
        assert_eq!(reply["cursor_start"], 0);
        assert_eq!(reply["cursor_end"], before.chars().count());
        let typed = &reply["metadata"]["_jupyter_types_experimental"][0];
        assert_eq!(
            (&typed["text"], &typed["type"]),
            (&json!(before), &json!("keyword"))
        );
    }
    for (cursor, level, expected) in [(1, 0, "é 0"), (2, 1, "x 1")] {
        let content = json!({ "code": code, "cursor_pos": cursor, "detail_level": level });
        let done = client.ask(Channel::Shell, "inspect_request", content).await;
        assert_eq!(done.reply.content["found"], true);
        assert_eq!(done.reply.content["data"]["text/plain"], expected);
    }
    let nowhere = json!({ "code": "", "cursor_pos": 0 });
    let done = client.ask(Channel::Shell, "inspect_request", nowhere).await;
    let expected = json!({ "status": "ok", "found": false, "data": {}, "metadata": {} });
    assert_eq!(done.reply.content, expected);
}

#[tokio::test]
async fn b2_13_one_count_goes_up_by_what_counts_and_by_nothing_else() {
    let (_kernel, mut client) = started().await;
    for (change, count, published) in [
        (
            json!({}),
            1,
            vec!["busy", "execute_input", "stream", "idle"],
        ),
        (json!({ "silent": true }), 1, vec!["busy", "idle"]),
        (
            json!({ "silent": true, "store_history": true }),
            1,
            vec!["busy", "idle"],
        ),
        (
            json!({ "store_history": false }),
            1,
            vec!["busy", "execute_input", "stream", "idle"],
        ),
        (
            json!({}),
            2,
            vec!["busy", "execute_input", "stream", "idle"],
        ),
        (
            json!({ "code": "fail E" }),
            3,
            vec!["busy", "execute_input", "error", "idle"],
        ),
        (
            json!({ "code": "" }),
            4,
            vec!["busy", "execute_input", "idle"],
        ),
    ] {
        let what = change.to_string();
        let mut content = execution("print a");
        for (key, value) in change.as_object().unwrap() {
            content[key] = value.clone();
        }
        let done = client.ask(Channel::Shell, "execute_request", content).await;
        assert_eq!(done.reply.content["execution_count"], count, "{what}");
        assert_eq!(done.reply.content["payload"], json!([]), "{what}");
        assert_eq!(done.kinds(), published, "{what}");
    }
    let done = client.execute("result 7").await;
    assert_eq!(done.published[1].content["execution_count"], 5);
    assert_eq!(done.published[2].content["execution_count"], 5);
}

#[tokio::test]
async fn b2_14_every_bundle_has_plain_text_and_json_is_not_packed_into_text() {
    let (_kernel, mut client) = started().await;
    let done = client
        .execute("show a\nresult b\njson\nnamed n c\nupdate n d")
        .await;
    let bundles: Vec<&Value> = done
        .published
        .iter()
        .filter_map(|message| message.content.get("data"))
        .collect();
    assert_eq!(bundles.len(), 5);
    for data in &bundles {
        assert!(data["text/plain"].is_string(), "{data}");
    }
    assert_eq!(
        bundles[2]["application/json"],
        json!({ "deep": [1, { "er": true }] })
    );
}

#[tokio::test]
async fn b2_15_a_display_is_updated_by_its_id_also_from_a_later_cell() {
    let (_kernel, mut client) = started().await;
    let first = client.execute("named n one\nshow other").await;
    let shown: Vec<&Message> = first
        .published
        .iter()
        .filter(|message| message.kind() == "display_data")
        .collect();
    let id = &shown[0].content["transient"]["display_id"];
    assert!(id.is_string());
    assert_eq!(shown[1].content.get("transient"), None);
    let later = client.execute("update n two").await;
    assert_eq!(
        later.kinds(),
        ["busy", "execute_input", "update_display_data", "idle"]
    );
    let update = &later.published[2].content;
    assert_eq!(update["transient"]["display_id"], *id);
    assert_eq!(update["data"]["text/plain"], "two");
    let result = client.execute("result 1").await;
    let result = &result.published[2].content;
    assert_eq!(
        result.get("transient"),
        None,
        "null would break clients that check"
    );
}

#[tokio::test]
async fn b2_16_each_user_expression_has_its_own_value_or_error() {
    let (_kernel, mut client) = started().await;
    let mut content = execution("print a");
    content["user_expressions"] = json!({ "good": "1 + 1", "bad": "fail", "worse": "panic" });
    let done = client
        .ask(Channel::Shell, "execute_request", content.clone())
        .await;
    let reply = &done.reply.content;
    assert_eq!(reply["status"], "ok");
    let values = &reply["user_expressions"];
    let good = json!({ "status": "ok", "data": { "text/plain": "1 + 1" }, "metadata": {} });
    assert_eq!(values["good"], good);
    assert_eq!(values["bad"]["status"], "error");
    assert_eq!(values["bad"]["ename"], "BadExpression");
    assert!(values["bad"]["traceback"].is_array());
    assert_eq!(values["worse"]["ename"], "InternalError");
    content["code"] = json!("fail E");
    let failed = client.ask(Channel::Shell, "execute_request", content).await;
    assert_eq!(failed.reply.content["user_expressions"], json!({}));
}

#[tokio::test]
async fn b2_17_unknown_messages_are_not_answered_and_harm_nothing() {
    let (_kernel, mut client) = started().await;
    for channel in [Channel::Shell, Channel::Control] {
        for message_type in ["tomorrows_request", "input_reply", "status", ""] {
            let id = client.send(channel, message_type, json!({ "x": 1 })).await;
            assert_eq!(kinds(&client.until_idle(&id).await), ["busy", "idle"]);
        }
        let done = client.ask(channel, "kernel_info_request", json!({})).await;
        assert_eq!(done.reply.content["status"], "ok");
        assert!(client.unclaimed(channel).is_empty());
    }
}

#[tokio::test]
async fn b2_17_requests_that_leave_things_out_get_the_defaults_and_broken_ones_an_error() {
    let (_kernel, mut client) = started().await;
    for (message_type, content, status) in [
        ("execute_request", json!({ "code": "print a" }), "ok"),
        ("execute_request", json!({ "code": 1 }), "error"),
        ("execute_request", json!({}), "error"),
        ("execute_request", json!([]), "error"),
        ("complete_request", json!({ "code": "a" }), "ok"),
        ("complete_request", json!({}), "error"),
        ("inspect_request", json!({ "code": "a" }), "ok"),
        ("is_complete_request", json!({}), "error"),
        ("history_request", json!({ "n": "many" }), "error"),
        ("comm_info_request", json!(null), "ok"),
        ("kernel_info_request", json!(7), "ok"),
    ] {
        let what = format!("{message_type} {content}");
        let done = client.ask(Channel::Shell, message_type, content).await;
        assert_eq!(done.reply.content["status"], status, "{what}");
        if message_type == "execute_request" {
            assert_eq!(done.reply.content["execution_count"], 1, "{what}");
        }
        if status == "error" {
            for key in ["ename", "evalue", "traceback"] {
                assert!(!done.reply.content[key].is_null(), "{what} {key}");
            }
        }
    }
}

#[tokio::test]
async fn a_panic_anywhere_in_the_interpreter_is_an_error_reply_and_the_kernel_lives() {
    let (_kernel, mut client) = started().await;
    let done = client.execute("print a\npanic oh").await;
    assert_eq!(done.reply.content["status"], "error");
    assert_eq!(done.reply.content["ename"], "InternalError");
    assert!(
        done.reply.content["evalue"]
            .as_str()
            .unwrap()
            .contains("oh")
    );
    assert_eq!(
        done.kinds(),
        ["busy", "execute_input", "stream", "error", "idle"]
    );
    for message_type in ["complete_request", "is_complete_request"] {
        let content = json!({ "code": "panic", "cursor_pos": 1 });
        let done = client.ask(Channel::Shell, message_type, content).await;
        assert_eq!(
            done.reply.content["ename"], "InternalError",
            "{message_type}"
        );
        assert_eq!(done.kinds(), ["busy", "idle"]);
    }
    assert_eq!(client.execute("print b").await.printed(), "b\n");
}
