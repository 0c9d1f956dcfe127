use firesteel_session::{
    address::Address,
    client::{Client, Options},
    engine::*,
    session::Session,
};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

async fn show(s: &Session, sql: &str) {
    println!("=== {sql}");
    let t = std::time::Instant::now();
    let mut ev = s.run(
        Statement {
            sql: sql.into(),
            rows: Some(1000),
            pure: false,
        },
        CancellationToken::new(),
    );
    while let Some(e) = ev.next().await {
        match e {
            Ok(Event::Batch(b)) => println!(
                "  batch {} rows {} bytes: {:?}",
                b.rows.num_rows(),
                b.wire_bytes,
                b.rows
                    .columns()
                    .iter()
                    .take(3)
                    .map(|c| format!("{c:?}")
                        .replace('\n', " ")
                        .chars()
                        .take(200)
                        .collect::<String>())
                    .collect::<Vec<_>>()
            ),
            Ok(Event::Schema(sc)) => println!(
                "  schema {:?}",
                sc.fields()
                    .iter()
                    .map(|f| format!("{}:{}", f.name(), f.data_type()))
                    .collect::<Vec<_>>()
            ),
            Ok(e) => println!("  {e:?}"),
            Err(e) => println!("  ERR {e:#?}"),
        }
    }
    println!("  {:?}", t.elapsed());
}

#[tokio::test]
async fn scratch() {
    let port = std::env::var("PORT").unwrap();
    let a = Address::parse(&format!("sc://localhost:{port}/;token=secret"), "me").unwrap();
    let s = Session::new(Client::new(a, Options::local()).unwrap());
    for sql in std::fs::read_to_string("/tmp/probe.sql")
        .unwrap()
        .split("\n--\n")
    {
        show(&s, sql.trim()).await;
    }
    println!("{:?}", s.status(&[]).await);
    println!("{:?}", s.close().await);
    println!("{:?}", s.keep_alive().await);
}

#[tokio::test]
async fn forms() {
    use firesteel_session::proto::{self, *};
    let port = std::env::var("PORT").unwrap();
    let a = Address::parse(&format!("sc://localhost:{port}/;token=secret"), "me").unwrap();
    let c = Client::new(a, Options::local()).unwrap();
    let sid = uuid::Uuid::new_v4().to_string();
    let rel = |q: &str| Relation {
        common: None,
        rel_type: Some(relation::RelType::Sql(Sql {
            query: q.into(),
            ..Default::default()
        })),
    };
    let run = |plan: Plan| {
        let c = c.clone();
        let sid = sid.clone();
        async move {
            let req = ExecutePlanRequest {
                session_id: sid,
                user_context: Some(UserContext {
                    user_id: "me".into(),
                    ..Default::default()
                }),
                plan: Some(plan),
                operation_id: Some(uuid::Uuid::new_v4().to_string()),
                ..Default::default()
            };
            let mut s = match c.execute_plan(req).await {
                Ok(s) => s,
                Err(e) => {
                    println!("  OPENERR {e:?}");
                    return;
                }
            };
            loop {
                match s.message().await {
                    Ok(Some(m)) => match m.response_type {
                        Some(proto::execute_plan_response::ResponseType::ArrowBatch(b)) => {
                            println!(
                                "  batch rows={} off={:?} chunk={:?}/{:?} data={} schema={} metrics={:?}",
                                b.row_count,
                                b.start_offset,
                                b.chunk_index,
                                b.num_chunks_in_batch,
                                b.data.len(),
                                m.schema.is_some(),
                                m.metrics
                            )
                        }
                        Some(proto::execute_plan_response::ResponseType::SqlCommandResult(r)) => {
                            println!(
                                "  sqlcommandresult {:?}",
                                format!("{r:?}").chars().take(600).collect::<String>()
                            )
                        }
                        o => println!(
                            "  {:?} schema={:?} metrics={:?}",
                            o,
                            m.schema.is_some(),
                            format!("{:?}", m.metrics)
                                .chars()
                                .take(1500)
                                .collect::<String>()
                        ),
                    },
                    Ok(None) => break,
                    Err(e) => {
                        println!(
                            "  ERR {} {}",
                            e.code(),
                            e.message().chars().take(600).collect::<String>()
                        );
                        break;
                    }
                }
            }
        }
    };
    let limit = |r: Relation| Relation {
        common: None,
        rel_type: Some(relation::RelType::Limit(Box::new(Limit {
            input: Some(Box::new(r)),
            limit: 10,
        }))),
    };
    let root = |r: Relation| Plan {
        op_type: Some(plan::OpType::Root(r)),
    };
    let cmd = |r: Relation| Plan {
        op_type: Some(plan::OpType::Command(Command {
            command_type: Some(command::CommandType::SqlCommand(SqlCommand {
                input: Some(r),
                ..Default::default()
            })),
        })),
    };
    run(root(rel(
        "CREATE TABLE IF NOT EXISTS c1 (id INT) USING parquet",
    )))
    .await;
    let script = "BEGIN DECLARE x INT DEFAULT 1; WHILE x < 3 DO INSERT INTO c1 VALUES (x+100); SET x = x + 1; END WHILE; SELECT * FROM c1 ORDER BY id; END";
    let simple = "BEGIN INSERT INTO c1 VALUES (7); SELECT count(*) AS n FROM c1; END";
    let count = "SELECT count(*) FROM c1";
    println!("--- root simple");
    run(root(rel(simple))).await;
    run(root(rel(count))).await;
    println!("--- limit simple");
    run(root(limit(rel(simple)))).await;
    run(root(rel(count))).await;
    println!("--- root script");
    run(root(rel(script))).await;
    run(root(rel(count))).await;
    println!("--- cmd script");
    run(cmd(rel(script))).await;
    run(root(rel(count))).await;
    println!("--- cmd script w/o result");
    run(cmd(rel(
        "BEGIN DECLARE y INT DEFAULT 1; INSERT INTO c1 VALUES (y); END",
    )))
    .await;
    run(root(rel(count))).await;
    println!("--- cmd select");
    run(cmd(rel("SELECT * FROM c1"))).await;
    println!("--- cmd show");
    run(cmd(rel("SHOW TABLES"))).await;
    println!("--- cmd insert");
    run(cmd(rel("INSERT INTO c1 VALUES (7)"))).await;
    println!("--- cmd w limit script");
    run(cmd(limit(rel(script)))).await;
    println!("--- exec immediate insert");
    run(root(limit(rel(
        "EXECUTE IMMEDIATE 'INSERT INTO c1 VALUES (8)'",
    ))))
    .await;
    run(root(rel(count))).await;
    println!("--- with cte insert");
    run(root(limit(rel(
        "WITH a AS (SELECT 5) INSERT INTO c1 SELECT * FROM a",
    ))))
    .await;
    run(root(rel(count))).await;
    println!("--- multi insert");
    run(root(limit(rel(
        "FROM (SELECT 5 AS x) INSERT INTO c1 SELECT x INSERT INTO c1 SELECT x+1",
    ))))
    .await;
    run(root(rel(count))).await;
    println!("--- call");
    run(root(limit(rel("CALL nope.proc()")))).await;
    println!("--- pipe");
    run(root(limit(rel("FROM c1 |> WHERE id > 5 |> SELECT id")))).await;
    println!("--- set var");
    run(root(limit(rel("DECLARE z INT")))).await;
    run(root(limit(rel("SET VAR z = 9")))).await;
    run(root(limit(rel("SELECT z")))).await;
    println!("--- create function");
    run(root(limit(rel(
        "CREATE TEMPORARY FUNCTION ff(x INT) RETURNS INT RETURN x+1",
    ))))
    .await;
    run(root(limit(rel("SELECT ff(1)")))).await;
    println!("--- big");
    run(root(rel("SELECT id FROM range(30000)"))).await;
}
