//! The touch page as a browser's script uses it.

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

pub struct Page {
    client: Client,
    pub base: String,
    pub token: String,
}

/// A client for servers of this machine: a proxy of the environment is for what is outside.
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

impl Page {
    pub fn open(base: &str) -> Page {
        let client = client();
        let html = client.get(format!("{base}/")).send().unwrap().text().unwrap();
        let token = html.split("name=\"tallyman-token\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
        Page { client, base: base.to_owned(), token: token.unwrap_or_else(|| panic!("no token in {html}")).to_owned() }
    }

    pub fn html(&self) -> String {
        self.client.get(format!("{}/", self.base)).send().unwrap().text().unwrap()
    }

    pub fn input(&self, input: &Value) -> Response {
        self.client
            .post(format!("{}/input", self.base))
            .header("x-tallyman-token", &self.token)
            .json(input)
            .send()
            .unwrap()
    }

    /// Presses buttons; each must be taken.
    pub fn press(&self, commands: &[&str]) {
        for command in commands {
            let response = self.input(&json!({ "command": command }));
            assert!(response.status().is_success(), "{command}: {}", response.text().unwrap());
        }
    }

    pub fn photo(&self, bytes: Vec<u8>) -> Response {
        let request = self.client.post(format!("{}/photo", self.base)).header("x-tallyman-token", &self.token);
        request.header("content-type", "application/octet-stream").body(bytes).send().unwrap()
    }
}
