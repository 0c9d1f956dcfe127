//! Points 1 to 6, 8 and 24 of what kernels get wrong: the life of a request and of a kernel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, where they are"
)]

use std::time::{Duration, Instant};

use firesteel_tests::jupyter::client::{execution, kinds};
use firesteel_tests::jupyter::{Channel, Client, Kernel, Message, Options};
use serde_json::json;

async fn started() -> (Kernel, Client) {
    let kernel = Kernel::start();
    let client = Client::connect(&kernel.info).await;
    (kernel, client)
}

#[tokio::test]
async fn b2_01_every_request_is_bracketed_by_busy_and_idle_with_its_own_header_as_parent() {
    let (_kernel, mut client) = started().await;
    let code = json!({ "code": "a", "cursor_pos": 1 });
    for (channel, message_type, content) in [
        (Channel::Shell, "kernel_info_request", json!({})),
        (Channel::Shell, "execute_request", execution("")),
        (Channel::Shell, "complete_request", code.clone()),
        (Channel::Shell, "inspect_request", code.clone()),
        (Channel::Shell, "is_complete_request", code),
        (Channel::Shell, "history_request", json!({})),
        (Channel::Shell, "comm_info_request", json!({})),
        (Channel::Shell, "interrupt_request", json!({})),
        (Channel::Control, "kernel_info_request", json!({})),
        (Channel::Control, "interrupt_request", json!({})),
        (Channel::Control, "history_request", json!({})),
    ] {
        let mut header = client.session.header(message_type);
        // What a front end adds comes back with the rest.
        header["subshell_id"] = json!(null);
        let id = client
            .send_with(channel, &header, &json!({}), content)
            .await;
        let done = client.done(channel, &id).await;
        assert_eq!(done.reply.parent, header, "{message_type}");
        let reply_type = message_type.replace("_request", "_reply");
        assert_eq!(done.reply.kind(), reply_type);
        let names = done.kinds();
        assert_eq!(
            (names[0], names[names.len() - 1]),
            ("busy", "idle"),
            "{message_type}"
        );
        for published in &done.published {
            assert_eq!(published.parent, header, "{message_type}");
        }
    }
}

#[tokio::test]
async fn b2_02_idle_comes_once_and_after_the_last_output() {
    let (_kernel, mut client) = started().await;
    for _ in 0..20 {
        let done = client
            .execute("flood 50 10\nwarn w\nshow s\nresult r")
            .await;
        let names = done.kinds();
        assert_eq!(names.len(), 50 + 6);
        assert_eq!(
            names[52..],
            ["stream", "display_data", "execute_result", "idle"][..]
        );
        assert_eq!(names.iter().filter(|name| **name == "idle").count(), 1);
    }
    let failed = client.execute("print a\nfail E").await;
    assert_eq!(
        failed.kinds(),
        ["busy", "execute_input", "stream", "error", "idle"]
    );
}

#[tokio::test]
async fn b2_03_a_failure_aborts_the_executions_sent_with_it_and_nothing_else() {
    let (_kernel, mut client) = started().await;
    // The first fails at once: the others may still be on their way.
    for round in 0..10 {
        let failing = client
            .send(Channel::Shell, "execute_request", execution("fail E"))
            .await;
        let info = client
            .send(Channel::Shell, "kernel_info_request", json!({}))
            .await;
        let first = client
            .send(Channel::Shell, "execute_request", execution("print a"))
            .await;
        let second = client
            .send(Channel::Shell, "execute_request", execution("print b"))
            .await;
        let failed = client.done(Channel::Shell, &failing).await;
        assert_eq!(failed.reply.content["status"], "error");
        assert_eq!(failed.reply.content["ename"], "E");
        let info = client.done(Channel::Shell, &info).await;
        assert_eq!(
            info.reply.content["status"], "ok",
            "only executions are aborted"
        );
        for id in [first, second] {
            let aborted = client.done(Channel::Shell, &id).await;
            assert_eq!(aborted.reply.content["status"], "aborted", "round {round}");
            let count = &aborted.reply.content["execution_count"];
            assert_eq!(*count, failed.reply.content["execution_count"]);
            assert_eq!(aborted.kinds(), ["busy", "idle"]);
        }
        // What is sent by who knows of the failure is never aborted.
        assert_eq!(
            client.execute("print c").await.printed(),
            "c\n",
            "round {round}"
        );
    }
}

#[tokio::test]
async fn b2_03_what_is_on_its_way_when_a_cell_fails_is_aborted_too() {
    let (kernel, mut client) = started().await;
    for round in (1..20).step_by(2) {
        let failing = client
            .send(Channel::Shell, "execute_request", execution("fail E"))
            .await;
        kernel.remote.failures(round).await;
        let next = client
            .send(Channel::Shell, "execute_request", execution("print a"))
            .await;
        let failed = client.done(Channel::Shell, &failing).await;
        assert_eq!(failed.reply.content["status"], "error", "round {round}");
        let next = client.done(Channel::Shell, &next).await;
        assert_eq!(next.reply.content["status"], "aborted", "round {round}");
        // Who has seen the error on iopub, before the reply, knows of it as well.
        let failing = client
            .send(Channel::Shell, "execute_request", execution("fail E"))
            .await;
        client
            .published(|message| message.kind() == "error" && message.parent_id() == failing)
            .await;
        assert_eq!(client.execute("print b").await.printed(), "b\n");
    }
}

#[tokio::test]
async fn b2_03_without_stop_on_error_and_after_silent_failures_the_queue_goes_on() {
    let (kernel, mut client) = started().await;
    for change in ["stop_on_error", "silent"] {
        let mut failing = execution("hold\nfail E");
        failing[change] = json!(change == "silent");
        let failing = client
            .send(Channel::Shell, "execute_request", failing)
            .await;
        let next = client
            .send(Channel::Shell, "execute_request", execution("print a"))
            .await;
        // The second is queued by now: control answers what came after it.
        client
            .ask(Channel::Control, "kernel_info_request", json!({}))
            .await;
        kernel.remote.release();
        let failed = client.done(Channel::Shell, &failing).await;
        assert_eq!(failed.reply.content["status"], "error");
        let done = client.done(Channel::Shell, &next).await;
        assert_eq!(done.reply.content["status"], "ok", "{change}");
    }
}

#[tokio::test]
async fn b2_04_an_interrupt_is_answered_while_a_cell_runs_and_the_cell_fails_by_it() {
    let (kernel, mut client) = started().await;
    for way in ["control", "shell", "signal"] {
        let cell = client.start("print before\nwait", "waiting").await;
        let queued = client
            .send(Channel::Shell, "execute_request", execution("print queued"))
            .await;
        let begun = Instant::now();
        match way {
            "signal" => kernel.interrupt().await,
            _ => {
                let channel = if way == "shell" {
                    Channel::Shell
                } else {
                    Channel::Control
                };
                let done = client.ask(channel, "interrupt_request", json!({})).await;
                assert_eq!(done.reply.content, json!({ "status": "ok" }), "{way}");
                assert_eq!(done.kinds(), ["busy", "idle"]);
            }
        }
        let done = client.reply(Channel::Shell, &cell).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{way}");
        assert_eq!(done.content["status"], "error", "{way}");
        assert_eq!(done.content["ename"], "KeyboardInterrupt", "{way}");
        let published = client.until_idle(&cell).await;
        assert!(kinds(&published).contains(&"error"), "{way}");
        // As ipykernel: an interrupt is an error, and errors abort what is queued.
        let queued = client.reply(Channel::Shell, &queued).await;
        assert_eq!(queued.content["status"], "aborted", "{way}");
        assert_eq!(client.execute("print after").await.printed(), "after\n");
    }
    // With nothing to interrupt, the next cell is none the worse.
    client
        .ask(Channel::Control, "interrupt_request", json!({}))
        .await;
    kernel.interrupt().await;
    client
        .ask(Channel::Control, "kernel_info_request", json!({}))
        .await;
    assert_eq!(client.execute("print after").await.printed(), "after\n");
}

#[tokio::test]
async fn b2_05_shutdown_is_answered_before_the_end_on_either_channel_and_echoes_restart() {
    for (channel, restart) in [
        (Channel::Control, false),
        (Channel::Control, true),
        (Channel::Shell, false),
    ] {
        let (mut kernel, mut client) = started().await;
        let content = json!({ "restart": restart });
        let done = client.ask(channel, "shutdown_request", content).await;
        assert_eq!(
            done.reply.content,
            json!({ "status": "ok", "restart": restart })
        );
        assert_eq!(done.kinds(), ["busy", "idle"]);
        kernel.ended().await.unwrap();
        assert_eq!(kernel.remote.ended(), Some(restart));
    }
}

#[tokio::test]
async fn b2_05_the_last_messages_leave_before_the_process_ends() {
    for round in 0..30 {
        let (mut kernel, mut client) = started().await;
        let cell = client.start("wait", "waiting").await;
        let queued = client
            .send(Channel::Shell, "execute_request", execution("print queued"))
            .await;
        // On shell, so that it comes after what is queued.
        let shutdown = client
            .send(Channel::Shell, "shutdown_request", json!({}))
            .await;
        let begun = Instant::now();
        kernel.ended().await.unwrap();
        // A cell that listens is not waited for as one that does not.
        assert!(begun.elapsed() < Duration::from_secs(1), "round {round}");
        let reply = client.done(Channel::Shell, &shutdown).await.reply;
        assert_eq!(reply.content["status"], "ok", "round {round}");
        let cell = client.done(Channel::Shell, &cell).await.reply;
        assert_eq!(cell.content["status"], "error", "round {round}");
        let queued = client.done(Channel::Shell, &queued).await.reply;
        assert_eq!(queued.content["status"], "aborted", "round {round}");
    }
}

#[tokio::test]
async fn b2_05_neither_a_cell_nor_an_interpreter_that_does_not_end_keeps_the_kernel_alive() {
    let (mut kernel, mut client) = started().await;
    let cell = client.start("hold", "holding").await;
    kernel.terminate();
    kernel.ended().await.unwrap();
    let cell = client.done(Channel::Shell, &cell).await.reply;
    assert_eq!(
        cell.content["ename"], "KeyboardInterrupt",
        "each request has its reply"
    );
    assert_eq!(
        kernel.remote.ended(),
        Some(false),
        "given up, and yet ended in order"
    );

    let mut kernel = Kernel::with(Options {
        ending: Duration::from_secs(3600),
        ..Options::default()
    });
    let mut client = Client::connect(&kernel.info).await;
    client.execute("print a").await;
    kernel.terminate();
    kernel.ended().await.unwrap();
}

#[tokio::test]
async fn b2_05_a_kernel_that_restarts_gets_the_same_ports() {
    let (mut kernel, mut client) = started().await;
    client.execute("print a").await;
    client
        .ask(
            Channel::Control,
            "shutdown_request",
            json!({ "restart": true }),
        )
        .await;
    kernel.ended().await.unwrap();
    let second = Kernel::with(Options {
        info: kernel.info.clone(),
        ..Options::default()
    });
    let mut client = Client::connect(&second.info).await;
    let done = client.execute("print b").await;
    assert_eq!(done.reply.content["execution_count"], 1);
}

#[tokio::test]
async fn b2_06_kernel_info_is_whole_on_shell_and_on_control_also_while_a_cell_runs() {
    let (kernel, mut client) = started().await;
    let shell = client
        .ask(Channel::Shell, "kernel_info_request", json!({}))
        .await
        .reply;
    let expected = json!({
        "status": "ok",
        "protocol_version": "5.5",
        "implementation": "scripted",
        "implementation_version": "1.2.3",
        "language_info": {
            "name": "script",
            "version": "0",
            "mimetype": "text/x-script",
            "file_extension": ".script",
        },
        "banner": "A kernel for tests",
        "help_links": [{ "text": "Help", "url": "https://example.org/" }],
        "debugger": false,
        "supported_features": ["iopub_welcome"],
    });
    assert_eq!(shell.content, expected);
    for word in ["hold", "block"] {
        let cell = client.start(word, "ing").await;
        let done = client
            .ask(Channel::Control, "kernel_info_request", json!({}))
            .await;
        assert_eq!(done.reply.content, expected, "while a cell does {word}");
        kernel.remote.release();
        kernel.remote.unblock();
        client.done(Channel::Shell, &cell).await;
    }
}

#[tokio::test]
async fn b2_08_a_question_goes_to_who_sent_the_cell_and_only_where_questions_are_allowed() {
    let (kernel, mut asker) = started().await;
    let mut other = Client::connect(&kernel.info).await;
    for (word, password) in [("ask", false), ("ask-secret", true)] {
        let cell = asker
            .send(
                Channel::Shell,
                "execute_request",
                execution(&format!("{word} name?")),
            )
            .await;
        let question = asker
            .received(Channel::Stdin, "a question", |m| {
                m.kind() == "input_request"
            })
            .await;
        assert_eq!(
            question.content,
            json!({ "prompt": "name?", "password": password })
        );
        assert_eq!(question.parent_id(), cell);
        // Somebody else's answer, and an answer to something else, are no answers.
        other
            .send(Channel::Stdin, "input_reply", json!({ "value": "other" }))
            .await;
        let header = asker.session.header("input_reply");
        let stale = json!({ "msg_id": "an older question" });
        let value = json!({ "value": "stale" });
        asker
            .send_with(Channel::Stdin, &header, &stale, value)
            .await;
        let header = asker.session.header("input_reply");
        let value = json!({ "value": "Ada", "status": "ok" });
        // jupyter_client names no parent, JupyterLab does.
        let parent = if password { json!({}) } else { question.header };
        asker
            .send_with(Channel::Stdin, &header, &parent, value)
            .await;
        assert_eq!(
            asker.done(Channel::Shell, &cell).await.printed(),
            "answer: Ada\n"
        );
    }
    let mut forbidden = execution("ask name?");
    forbidden["allow_stdin"] = json!(false);
    let done = asker
        .ask(Channel::Shell, "execute_request", forbidden)
        .await;
    assert!(
        done.printed().contains("cannot ask anybody"),
        "{}",
        done.printed()
    );
    assert!(
        asker.unclaimed(Channel::Stdin).is_empty(),
        "nobody was asked"
    );
    assert!(
        other.unclaimed(Channel::Stdin).is_empty(),
        "nobody else was asked"
    );
}

#[tokio::test]
async fn b2_08_an_interrupt_ends_a_question_and_an_answer_that_comes_late_answers_no_other() {
    let (_kernel, mut client) = started().await;
    let cell = client
        .send(Channel::Shell, "execute_request", execution("ask first?"))
        .await;
    let first = question(&mut client).await;
    client
        .ask(Channel::Control, "interrupt_request", json!({}))
        .await;
    let done = client.done(Channel::Shell, &cell).await;
    assert_eq!(done.reply.content["ename"], "KeyboardInterrupt");
    // One that names its question; a late one that names none cannot be told from the next.
    let header = client.session.header("input_reply");
    let value = json!({ "value": "too late" });
    client
        .send_with(Channel::Stdin, &header, &first.header, value)
        .await;

    let cell = client
        .send(Channel::Shell, "execute_request", execution("ask second?"))
        .await;
    let second = question(&mut client).await;
    assert_ne!(first.header["msg_id"], second.header["msg_id"]);
    client
        .send(Channel::Stdin, "input_reply", json!({ "value": "in time" }))
        .await;
    let done = client.done(Channel::Shell, &cell).await;
    assert_eq!(done.printed(), "answer: in time\n");
}

async fn question(client: &mut Client) -> Message {
    client
        .received(Channel::Stdin, "a question", |m| {
            m.kind() == "input_request"
        })
        .await
}

#[tokio::test]
async fn b2_24_what_is_printed_after_idle_still_belongs_to_its_cell() {
    let (kernel, mut client) = started().await;
    let done = client.execute("late\nprint early").await;
    assert_eq!(done.printed(), "early\n");
    let next = client.execute("print next").await;
    kernel.remote.release();
    let late = client.published(|message| message.text() == "late\n").await;
    assert_eq!(late.parent_id(), done.reply.parent_id());
    assert_ne!(late.parent_id(), next.reply.parent_id());
}
