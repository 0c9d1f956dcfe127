use super::*;
use crate::cause::{Cause, Kind};
use crate::profile::{Compiler, Memory, Span};
use crate::profile::{Local, Runs};

const OPERATOR: &str = "/etc/firesteel/profiles.yaml";
const USER: &str = "/home/ada/.config/firesteel/profiles.yaml";

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().copied().collect()
}

fn try_profiles(
    operator: Option<&str>,
    user: Option<&str>,
    variables: &[(&str, &str)],
) -> Result<Profiles, ProfileError> {
    let layer = |path: &str, text: Option<&str>| {
        text.map(|text| Layer::parse(Path::new(path), text))
            .transpose()
    };
    Profiles::new(
        PathBuf::from(OPERATOR),
        layer(OPERATOR, operator)?,
        layer(USER, user)?,
        &environment(variables),
    )
}

fn profiles(operator: Option<&str>, user: Option<&str>) -> Profiles {
    try_profiles(operator, user, &[]).unwrap()
}

fn local(profile: &Profile) -> &Local {
    match &profile.runs {
        Runs::Local(local) => local,
        _ => panic!("{} is remote", profile.name),
    }
}

#[test]
fn without_files_there_is_local() {
    let profiles = profiles(None, None);
    assert_eq!(profiles.names(), ["interactive", "local"]);
    assert_eq!(profiles.default_name(), "local");
    for name in profiles.names() {
        assert_eq!(profiles.get(&name).unwrap(), Profile::built_in(&name));
    }
}

#[test]
fn the_interactive_profile_is_compiled_quickly_unless_it_is_told_otherwise() {
    let compiler = |file, name| profiles(None, file).get(name).unwrap().compiler;
    assert_eq!(compiler(None, "interactive"), Compiler::Quick);
    assert_eq!(compiler(None, "local"), Compiler::Thorough);
    let said = "profiles: {interactive: {compiler: thorough}, other: {compiler: quick}}";
    assert_eq!(compiler(Some(said), "interactive"), Compiler::Thorough);
    assert_eq!(compiler(Some(said), "other"), Compiler::Quick);
}

#[test]
fn upper_layers_say_what_counts_and_conf_is_joined() {
    let profiles = profiles(
        Some(
            "default: big
defaults:
  grace: 5m
  memory: 2g
profiles:
  big:
    memory: 8g
    conf: {spark.sql.shuffle.partitions: 200, spark.executor.extraJavaOptions: -ea}
",
        ),
        Some(
            "profiles:
  big:
    cores: 3
    conf: {sql.shuffle.partitions: 8, spark.sql.ansi.enabled: true}
  mine:
    away: 1h
    share: kernel
    packages: ['a:b:1']
",
        ),
    );
    assert_eq!(profiles.names(), ["big", "interactive", "local", "mine"]);
    assert_eq!(profiles.default_name(), "big");

    let big = profiles.get("big").unwrap();
    assert_eq!(big.grace, Span::seconds(300));
    assert_eq!(local(&big).memory, Some(Memory::mebibytes(8192)));
    assert_eq!(local(&big).cores.map(u16::from), Some(3));
    let conf: Vec<(&str, &str)> = local(&big)
        .conf
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        conf,
        [
            ("spark.executor.extraJavaOptions", "-ea"),
            ("spark.sql.ansi.enabled", "true"),
            ("spark.sql.shuffle.partitions", "8"),
        ]
    );

    let mine = profiles.get("mine").unwrap();
    assert_eq!(local(&mine).memory, Some(Memory::mebibytes(2048)));
    assert_eq!(
        (mine.away, mine.share),
        (Span::seconds(3600), Share::Kernel)
    );
}

#[test]
fn the_user_cannot_change_what_the_operator_locks() {
    let operator = "locked: [memory, user]\ndefaults: {memory: 2g, user: team}\n";
    let fine = profiles(Some(operator), Some("profiles: {local: {cores: 1}}"));
    let profile = fine.get("local").unwrap();
    assert_eq!(profile.user.as_deref(), Some("team"));
    assert_eq!(local(&profile).memory, Some(Memory::mebibytes(2048)));

    for user in ["profiles: {local: {memory: 64g}}", "defaults: {user: root}"] {
        let error = profiles(Some(operator), Some(user))
            .get("local")
            .unwrap_err();
        assert!(matches!(error, ProfileError::Locked { .. }), "{error}");
        let said = Cause::from(error).to_string();
        assert!(said.contains(USER) && said.contains(OPERATOR), "{said}");
    }
}

#[test]
fn a_variable_is_bound_by_locks_too() {
    let share = [("FIRESTEEL_SHARE", "kernel")];
    let free = try_profiles(None, None, &share).unwrap();
    assert_eq!(free.get("local").unwrap().share, Share::Kernel);
    let bound = try_profiles(Some("locked: [share]"), None, &share).unwrap();
    let error = bound.get("local").unwrap_err();
    assert!(
        error.to_string().starts_with("FIRESTEEL_SHARE: "),
        "{error}"
    );

    let error = try_profiles(None, None, &[("FIRESTEEL_SHARE", "all")]).unwrap_err();
    assert!(error.to_string().contains("`all`"), "{error}");
}

#[test]
fn spark_remote_is_a_profile_and_the_default() {
    let remote = [("SPARK_REMOTE", "sc://spark.example:15002/;token=hush")];
    let profiles = try_profiles(None, Some("default: local"), &remote).unwrap();
    assert_eq!(profiles.default_name(), "remote");
    let profile = profiles.get("remote").unwrap();
    let Runs::Remote(remote) = &profile.runs else {
        panic!("not remote: {profile:?}");
    };
    assert!(remote.reveal().contains("hush"));
    assert!(!format!("{profile:?}").contains("hush"));
    assert!(matches!(
        profiles.get("local").unwrap().runs,
        Runs::Local(_)
    ));

    let locked = try_profiles(
        Some("locked: [connect]"),
        None,
        &[("SPARK_REMOTE", "sc://x")],
    );
    assert!(locked.unwrap().get("remote").is_err());
    let wrong = try_profiles(None, None, &[("SPARK_REMOTE", "http://x")]).unwrap();
    let error = wrong.get("remote").unwrap_err();
    assert!(error.to_string().contains("sc://"), "{error}");
}

#[test]
fn allow_lists_are_the_operators_where_there_is_one() {
    let key = |name: &str| format!("profiles: {{local: {{conf: {{{name}: x}}}}}}");
    let agent = key("spark.driver.extraJavaOptions");
    let sql = key("spark.sql.ansi.enabled");
    let own = format!("allowedConf: ['spark.driver.*']\n{agent}");
    let narrow = "allowedConf: [spark.sql.ansi.enabled]";
    for (operator, user, fine) in [
        (None, sql.as_str(), true),
        (None, agent.as_str(), false),
        (None, own.as_str(), true),
        (Some("{}"), agent.as_str(), false),
        (Some("{}"), sql.as_str(), true),
        (Some(narrow), sql.as_str(), true),
        (Some(narrow), &key("spark.sql.codegen.maxFields"), false),
    ] {
        let result = profiles(operator, Some(user)).get("local");
        assert_eq!(result.is_ok(), fine, "{operator:?} {user}: {result:?}");
    }
    let error = try_profiles(Some("{}"), Some(&own), &[]).unwrap_err();
    assert!(matches!(
        error,
        ProfileError::OperatorOnly {
            key: "allowedConf",
            ..
        }
    ));
    let error = try_profiles(Some("{}"), Some("locked: [share]"), &[]).unwrap_err();
    assert!(matches!(
        error,
        ProfileError::OperatorOnly { key: "locked", .. }
    ));
}

#[test]
fn what_is_wrong_is_said_with_file_line_and_key() {
    for (text, line, word) in [
        ("profiles:\n  local:\n    memroy: 4g\n", 3, "memroy"),
        ("profiles:\n  local:\n    memory: lots\n", 3, "lots"),
        ("profiles:\n  local:\n    away: 15\n", 3, "15"),
        ("profiles:\n  local:\n    cores: 0\n", 3, ""),
        ("profiles:\n  local:\n    share: everyone\n", 3, "everyone"),
        ("profiles:\n  local:\n    packages: ['a:b']\n", 3, "a:b"),
        ("locked: [memroy]\n", 1, "memroy"),
        ("profiles: [local]\n", 1, ""),
        ("profiles:\n  local: {\n", 0, ""),
    ] {
        let error = Layer::parse(Path::new(USER), text).unwrap_err();
        let ProfileError::Yaml { line: at, .. } = &error else {
            panic!("{error}");
        };
        assert!(line == 0 || *at == line, "{text}: {error}");
        let said = error.to_string();
        assert!(said.starts_with(USER) && said.contains(word), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn a_file_that_says_nothing_is_fine() {
    for text in [
        "",
        "# nothing yet\n\n",
        "---\n",
        "profiles: {}\n",
        "profiles: {local: {}}",
    ] {
        let layer = Layer::parse(Path::new(USER), text).unwrap();
        assert_eq!(layer.file.defaults, Values::default(), "{text:?}");
    }
}

#[test]
fn values_that_cannot_be_are_refused() {
    for (user, word) in [
        ("profiles: {local: {java: jdk/bin/java}}", "`java`"),
        ("profiles: {local: {warehouse: tables}}", "`warehouse`"),
        (
            "profiles: {local: {connect: 'localhost:15002'}}",
            "`connect`",
        ),
        ("profiles: {local: {away: 0s}}", "`away`"),
        (
            "profiles: {local: {conf: {spark.sql.ansi.enabled: 1, sql.ansi.enabled: 2}}}",
            "twice",
        ),
    ] {
        let error = profiles(None, Some(user)).get("local").unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_name_that_nobody_could_read_or_type_is_no_profiles() {
    for name in [
        "",
        " ",
        "a\n",
        " a",
        "a\0b",
        "a\rspark.jars=b",
        "a\u{202e}b",
        "a\u{200b}",
        &"a".repeat(101),
    ] {
        let file = format!("profiles: {{{}: {{}}}}", serde_json::json!(name));
        let error = try_profiles(None, Some(&file), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("name of a profile"), "{error}");
        assert!(!error.contains(['\n', '\r', '\0', '\u{202e}']), "{error:?}");
    }
    for name in ["big", "Ada's 2nd", "größe", "a/b", "a: b"] {
        let file = format!("profiles: {{{}: {{}}}}", serde_json::json!(name));
        assert!(profiles(None, Some(&file)).get(name).is_ok(), "{name}");
    }
}

#[test]
fn control_characters_stand_in_settings_and_variables_alone() {
    for (key, value) in [
        ("warehouse", "/tables\rspark.jars=x"),
        ("user", "ada\nbob"),
        ("java", "/jdk\0"),
    ] {
        let file = serde_json::json!({"defaults": {key: value}}).to_string();
        let error = profiles(None, Some(&file)).get("local").unwrap_err();
        let words = format!("`{key}` has a control character");
        assert!(error.to_string().contains(&words), "{error}");
    }
    let file = serde_json::json!({"defaults": {"conf": {"spark.sql.session.timeZone": "a\nb"}}});
    assert!(profiles(None, Some(&file.to_string())).get("local").is_ok());
}

#[test]
fn a_setting_that_the_profiles_spark_does_not_know_is_refused() {
    let file = |version: &str| {
        let conf = "conf: {spark.storage.rddBlockChecksum.enabled: true}";
        format!("profiles: {{local: {{{version}{conf}}}}}")
    };
    let said = |version: &str| profiles(None, Some(&file(version))).get("local");
    for fine in ["", "sparkVersion: '4.3', ", "sparkVersion: '4.3.1', "] {
        assert!(said(fine).is_ok(), "{fine}");
    }
    let error = said("sparkVersion: '4.2', ").unwrap_err().to_string();
    assert!(
        error.contains("came with Spark 4.3") && error.contains("runs 4.2"),
        "{error}"
    );
    // An operator is believed.
    let operator = profiles(Some(&file("sparkVersion: '4.2', ")), None);
    assert!(operator.get("local").is_ok());
}

#[test]
fn an_unknown_profile_is_answered_with_those_there_are() {
    let error = profiles(None, Some("profiles: {big: {}}"))
        .get("bgi")
        .unwrap_err();
    let cause = Cause::from(error);
    assert_eq!(cause.kind, Kind::Profile);
    assert!(
        cause
            .sentence
            .contains("`bgi`; there are big, interactive, local"),
        "{cause}"
    );
}

#[test]
fn the_hash_tells_profiles_apart() {
    let one = profiles(None, Some("profiles: {local: {memory: 2g}}"));
    let same = profiles(Some("defaults: {memory: 2048m}"), None);
    let other = profiles(None, Some("profiles: {local: {memory: 3g}}"));
    let hash = |profiles: &Profiles| profiles.get("local").unwrap().hash();
    assert_eq!(hash(&one), hash(&same));
    assert_ne!(hash(&one), hash(&other));
    assert_eq!(hash(&one).len(), 16);
}

#[test]
fn the_schema_knows_every_key() {
    let schema = crate::profile::schema().to_string();
    for key in [
        "sparkVersion",
        "idleLimit",
        "startDeadline",
        "allowedConf",
        "locked",
        "connect",
    ] {
        assert!(schema.contains(key), "{key}");
    }
    assert!(schema.contains("\"additionalProperties\":false"));
}
