//! A real Prometheus that scrapes the daemon: the alerts are evaluated, and each question of the dashboard has an answer.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Host, Process, wait_within};

use crate::{
    repository,
    site::{Site, get},
};

const API: &str = "http://127.0.0.1:9090/api/v1";
/// Start, and a few scrapes.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
/// Panels with nothing to show on a site where all is well.
const EMPTY: [&str; 1] = ["VIP leaks"];

#[test]
fn prometheus_evaluates_the_alerts_and_the_dashboard() -> Result<()> {
    let site = Site::new()?;
    let host = site.host();
    let _prometheus = start(host)?;
    let questions = questions()?;
    ensure!(questions.len() > 40, "{}", questions.len());
    wait_within(PATIENCE, "there are rates", || {
        site.page()?;
        let rate = "rate(drover_service_packets_total[1m]) > 0";
        Ok(query(host, rate).is_ok_and(|it| it > 0))
    })?;
    for (title, expression) in &questions {
        let count = query(host, expression).with_context(|| format!("{title}: {expression}"))?;
        ensure!(
            count > 0 || EMPTY.contains(&title.as_str()),
            "{title}: nothing for {expression}"
        );
    }
    wait_within(PATIENCE, "the alerts are evaluated", || {
        let rules = get(host, &[&format!("{API}/rules")])?;
        let rules: Value = serde_json::from_str(&rules)?;
        let rules = rules["data"]["groups"][0]["rules"].as_array().cloned();
        let rules = rules.context("no rules")?;
        let unwell = |rule: &&Value| rule["health"] == "err";
        let broken: Vec<&Value> = rules.iter().filter(unwell).collect();
        ensure!(broken.is_empty(), "{broken:?}");
        Ok(rules.len() == 10 && rules.iter().all(|rule| rule["health"] == "ok"))
    })?;
    // On this site, a service without its quorum and a real server that nobody is.
    let pending = "count(ALERTS{alertname=~\"DroverQuorumLost|DroverMemberDown\"})";
    wait_within(PATIENCE, "what is amiss is seen", || {
        Ok(query(host, pending)? > 0)
    })
}

fn start(host: &Host) -> Result<Process> {
    let dir = host.dir().join("prometheus");
    fs::create_dir_all(&dir)?;
    let rules = repository("packaging/prometheus/drover.rules.yml").canonicalize()?;
    let config = dir.join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n\
         - job_name: drover\n  static_configs: [{{targets: ['10.2.0.5:9208']}}]\n",
        rules.display()
    );
    fs::write(&config, text)?;
    let words = [
        "prometheus".to_owned(),
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", dir.join("data").display()),
        "--web.listen-address=127.0.0.1:9090".to_owned(),
    ];
    let process = host.spawn(&words);
    let process = process.context("prometheus (Debian: apt install prometheus)")?;
    wait_within(PATIENCE, "Prometheus is ready, and has the metrics", || {
        Ok(query(host, "drover_build_info").is_ok_and(|it| it == 1))
    })
    .with_context(|| process.log())?;
    Ok(process)
}

/// Returns how many series answer an expression.
fn query(host: &Host, expression: &str) -> Result<usize> {
    let words = [
        "-G",
        &format!("{API}/query"),
        "--data-urlencode",
        &format!("query={expression}"),
    ];
    let answer: Value = serde_json::from_str(&get(host, &words)?)?;
    ensure!(answer["status"] == "success", "{answer}");
    let result = answer["data"]["result"].as_array().context("no result")?;
    Ok(result.len())
}

/// The dashboard's expressions, with the titles of their panels, as for all that is there.
fn questions() -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(repository("packaging/grafana/drover.json"))?;
    let dashboard: Value = serde_json::from_str(&text)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let mut questions = Vec::new();
    for panel in panels {
        let title = panel["title"].as_str().context("no title")?;
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().context("no expression")?;
            let mut expression = expression.replace("$__rate_interval", "1m");
            for variable in ["$instance", "$service", "$job"] {
                expression = expression.replace(variable, ".*");
            }
            ensure!(!expression.contains('$'), "{title}: {expression}");
            questions.push((title.to_owned(), expression));
        }
    }
    Ok(questions)
}
