//! The server under test, and its JSON-2 API.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::support::{Device, is_running, until};

/// Tests that need the server share it; the one that stops it has it alone.
static SERVER: RwLock<()> = RwLock::new(());

pub(crate) struct Odoo {
    pub(crate) url: String,
    database: String,
    key: String,
    client: Client,
}

fn variable(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run `make test-odoo`, which starts an Odoo and sets it"))
}

impl Odoo {
    pub(crate) fn shared() -> (Odoo, RwLockReadGuard<'static, ()>) {
        let guard = SERVER.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        (Odoo::connect(), guard)
    }

    pub(crate) fn alone() -> (Odoo, RwLockWriteGuard<'static, ()>) {
        let guard = SERVER.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        (Odoo::connect(), guard)
    }

    fn connect() -> Odoo {
        Odoo {
            url: variable("ODOO_URL"),
            database: env::var("ODOO_DB").unwrap_or_default(),
            key: variable("ODOO_API_KEY"),
            client: crate::support::page::client(),
        }
    }

    /// Where the proxies of the tests forward to.
    pub(crate) fn address(&self) -> SocketAddr {
        let host = self.url.trim_start_matches("http://").trim_end_matches('/');
        host.parse().unwrap_or_else(|_| panic!("{} is no http://address:port of this machine", self.url))
    }

    /// An Odoo without the addon; absent when the server under test is somebody else's.
    pub(crate) fn bare() -> Option<SocketAddr> {
        let own = env::var("TALLYMAN_ODOO_PID_FILE").is_ok();
        own.then(|| variable("TALLYMAN_ODOO_BARE_URL").trim_start_matches("http://").parse().unwrap())
    }

    /// One call of the JSON-2 API, as an administrator's script would make it.
    pub(crate) fn call(&self, model: &str, method: &str, arguments: &Value) -> Value {
        let (good, text) = self.post(model, method, arguments);
        assert!(good, "{model}.{method}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A call that Odoo refuses: what it says.
    pub(crate) fn refusal(&self, model: &str, method: &str, arguments: &Value) -> String {
        let (good, text) = self.post(model, method, arguments);
        assert!(!good, "{model}.{method} went well: {text}");
        text
    }

    fn post(&self, model: &str, method: &str, arguments: &Value) -> (bool, String) {
        let request = self.client.post(format!("{}/json/2/{model}/{method}", self.url)).bearer_auth(&self.key);
        let response = request.header("x-odoo-database", &self.database).json(arguments).send().unwrap();
        let (status, text) = (response.status(), response.text().unwrap());
        (
            status.is_success(),
            format!("{}{text}", if status.is_success() { String::new() } else { format!("{status} ") }),
        )
    }

    pub(crate) fn create(&self, model: &str, values: &Value) -> i64 {
        self.call(model, "create", &json!({ "vals_list": [values] }))[0].as_i64().unwrap()
    }

    pub(crate) fn read(&self, model: &str, domain: &Value, fields: &[&str]) -> Vec<Value> {
        let found = self.call(model, "search_read", &json!({ "domain": domain, "fields": fields, "order": "id" }));
        found.as_array().unwrap().clone()
    }

    pub(crate) fn one(&self, model: &str, domain: &Value, fields: &[&str]) -> Value {
        let mut found = self.read(model, domain, fields);
        assert_eq!(found.len(), 1, "{model} {domain}: {found:?}");
        found.remove(0)
    }

    pub(crate) fn warehouse(&self) -> Value {
        self.read("stock.warehouse", &json!([["code", "=", "WH"]]), &["lot_stock_id", "in_type_id", "out_type_id"])
            .remove(0)
    }

    /// Enrols a device through `url`, with a code as an administrator issues it.
    pub(crate) fn enrol(&self, device: &Device, url: &str, name: &str) -> String {
        let arguments = json!({ "device_name": name, "warehouse_id": self.warehouse()["id"] });
        let code = self.call("warehouse.exception.enrolment", "issue_code", &arguments);
        device.enrol(url, code["code"].as_str().unwrap());
        let identity = fs::read_to_string(device.state().join("identity.json")).unwrap();
        serde_json::from_str::<Value>(&identity).unwrap()["device"].as_str().unwrap().to_owned()
    }

    /// The events that the server has of a device, with the case of each.
    pub(crate) fn events(&self, device: &str) -> Vec<Value> {
        let domain = json!([["device_id.uuid", "=", device]]);
        self.read("warehouse.exception.event", &domain, &["event_id", "digest", "sequence", "case_id", "chain"])
    }

    pub(crate) fn cases(&self, device: &str) -> Vec<Value> {
        self.read("warehouse.exception.case", &json!([["device_id.uuid", "=", device]]), &[])
    }

    pub(crate) fn is_up(&self) -> bool {
        let asked = self.client.get(format!("{}/web/health", self.url)).timeout(Duration::from_secs(5)).send();
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// Stops the server, until what this returns is dropped, if it is the suite's own; `None` for somebody else's.
    pub(crate) fn stop(&self) -> Option<Stopped<'_>> {
        let Ok(file) = env::var("TALLYMAN_ODOO_PID_FILE") else { return None };
        let pid = fs::read_to_string(file).unwrap();
        // bash's own kill: a small system has no other. A server that sudo started is sudo's to stop.
        let kill = ["-c", "kill \"$1\" 2>/dev/null || sudo kill \"$1\"", "kill", pid.trim()];
        assert!(Command::new("bash").args(kill).status().unwrap().success());
        until("Odoo to stop", || (!self.is_up() && !is_running(pid.trim())).then_some(()));
        Some(Stopped(self))
    }

    #[expect(clippy::zombie_processes, reason = "the server outlives this test; suite.sh stops it by its process id")]
    fn start_again(&self) {
        let port = self.url.rsplit(':').next().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/odoo/root.sh");
        let mut command = Command::new(script);
        command.args(["run", &self.database, port, "--workers", "2", "--log-level", "warn"]);
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        fs::write(variable("TALLYMAN_ODOO_PID_FILE"), server.id().to_string()).unwrap();
        until("Odoo to be up again", || self.is_up().then_some(()));
    }
}

/// A server that is down. It comes up again also when the test fails: the others need it.
pub(crate) struct Stopped<'a>(&'a Odoo);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.start_again();
    }
}

/// A product on a shelf, someone to pick it, and documents that expect it.
pub(crate) struct Warehouse {
    pub(crate) gtin: String,
    pub(crate) bin: String,
    pub(crate) badge: String,
    pub(crate) product: i64,
    pub(crate) location: i64,
    pub(crate) employee: i64,
    pub(crate) pick: String,
    pub(crate) receipt: String,
}

impl Warehouse {
    /// Makes them, named after `n`, which no other test uses.
    pub(crate) fn stock(odoo: &Odoo, n: u32) -> Warehouse {
        let here = odoo.warehouse();
        let (gtin, bin, badge) = (gtin13(n), format!("T-{n:02}-01"), format!("EMPT{n:04}"));
        let values = json!({ "name": format!("Test tea {n}"), "barcode": gtin, "is_storable": true });
        let product = odoo.create("product.product", &values);
        let parent = &here["lot_stock_id"][0];
        let location = odoo.create("stock.location", &json!({ "name": bin, "barcode": bin, "location_id": parent }));
        let employee = odoo.create("hr.employee", &json!({ "name": format!("Tester {n}"), "barcode": badge }));
        let mut made =
            Warehouse { gtin, bin, badge, product, location, employee, pick: String::new(), receipt: String::new() };
        // Goods come in by a receipt: the key's user has roles of the addon, and so adjusts nothing by hand.
        let delivery = made.transfer(odoo, &here, "in_type_id", 50, Some(location));
        odoo.call("stock.picking", "button_validate", &json!({ "ids": [delivery] }));
        made.pick = made.picking(odoo, &here, "out_type_id", 8);
        made.receipt = made.picking(odoo, &here, "in_type_id", 12);
        made
    }

    fn picking(&self, odoo: &Odoo, here: &Value, kind: &str, quantity: u32) -> String {
        let picking = self.transfer(odoo, here, kind, quantity, None);
        odoo.one("stock.picking", &json!([["id", "=", picking]]), &["name"])["name"].as_str().unwrap().to_owned()
    }

    /// A transfer that is ready, into a bin of its own or where such a transfer goes by itself.
    fn transfer(&self, odoo: &Odoo, here: &Value, kind: &str, quantity: u32, into: Option<i64>) -> i64 {
        let kind = here[kind][0].as_i64().unwrap();
        let places = &["default_location_src_id", "default_location_dest_id"];
        let places = odoo.one("stock.picking.type", &json!([["id", "=", kind]]), places);
        let from = &places["default_location_src_id"][0];
        let to = &into.map_or_else(|| places["default_location_dest_id"][0].clone(), Value::from);
        let with_places = |mut values: Value| {
            (values["location_id"], values["location_dest_id"]) = (from.clone(), to.clone());
            values
        };
        let planned = with_places(json!({ "product_id": self.product, "product_uom_qty": quantity }));
        let values = with_places(json!({ "picking_type_id": kind, "move_ids": [[0, 0, planned]] }));
        let picking = odoo.create("stock.picking", &values);
        odoo.call("stock.picking", "action_confirm", &json!({ "ids": [picking] }));
        odoo.call("stock.picking", "action_assign", &json!({ "ids": [picking] }));
        picking
    }

    /// Gives a device its catalog, by the tool that IT uses.
    pub(crate) fn give_catalog(&self, odoo: &Odoo, device: &Device) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/odoo-catalog.py");
        let mut command = Command::new("python3");
        command
            .args([script, "WH"])
            .env("ODOO_URL", &odoo.url)
            .env("ODOO_API_KEY", &odoo.key)
            .env("ODOO_DB", &odoo.database);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&self.gtin) && text.contains(&self.pick), "the catalog lacks what was just made");
        fs::write(device.folder.path().join("catalog.json"), text).unwrap();
    }
}

/// A GTIN-13 of the range that GS1 sets aside for a company's own use.
fn gtin13(n: u32) -> String {
    let stem = format!("29{n:010}");
    let digit =
        (0..=9).find(|digit| tallyman::domain::decode::gtin::check_digit_holds(format!("{stem}{digit}").as_bytes()));
    format!("{stem}{}", digit.unwrap())
}
