//! The demo's receiver in Odoo's place, on loopback: prints each case as a line of JSON once it is there.

use std::error::Error;
use std::time::Duration;

use tallyman::demo::book::Book;
use tallyman::demo::receiver::Receiver;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The code that a device enrols with.
const CODE: &str = "7K2QF-0H3MN-9PRST-VWXYZ";

pub(crate) fn run(port: u16) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let book = Book::new("urn:uuid:0e5f1c62-6a0b-4f0e-9c6e-3b8a54f7d201".to_owned(), CODE.to_owned());
        let receiver = Receiver::new(book);
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        tokio::spawn(receiver.clone().serve(listener, CancellationToken::new()));
        println!("listening");
        let mut printed = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let cases = receiver.book().cases()[printed..].to_vec();
            for case in &cases {
                println!("{}", serde_json::to_string(&case.event)?);
            }
            printed += cases.len();
        }
    })
}
