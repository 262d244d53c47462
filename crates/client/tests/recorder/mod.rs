//! A server that answers what a test says, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use dev2prod_client::{Access, Client, ClientOptions};
use serde_json::{Value, json};

pub(crate) type Answers = fn(&Call) -> Response;

/// What a call was.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) number: usize,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.get(name);
        header.map_or("", |header| header.to_str().unwrap())
    }
}

#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) calls: Arc<Mutex<Vec<Call>>>,
    pub(crate) answers: Answers,
    pub(crate) url: String,
}

impl Recorder {
    pub(crate) async fn start(answers: Answers) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let recorder = Self {
            calls: Arc::default(),
            answers,
            url: format!("http://{}/", listener.local_addr().unwrap()),
        };
        let app = Router::new().fallback(answer).with_state(recorder.clone());
        tokio::spawn(async { axum::serve(listener, app).await });
        recorder
    }

    pub(crate) fn client(&self) -> Client {
        let mut options = ClientOptions::new(&self.url, Access::token("d2p_s3cret"));
        options.timeout = Duration::from_secs(5);
        Client::new(options).unwrap()
    }

    /// Each call as a line, with its body if it has one.
    pub(crate) fn said(&self) -> String {
        let calls = self.calls.lock().unwrap();
        let lines = calls.iter().map(|call| {
            let line = format!("{} {}", call.line, call.body);
            line.trim().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

async fn answer(State(recorder): State<Recorder>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let call = {
        let mut calls = recorder.calls.lock().unwrap();
        let call = Call {
            line: format!("{} {}", parts.method, parts.uri),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
            number: calls.len() + 1,
        };
        calls.push(call.clone());
        call
    };
    (recorder.answers)(&call)
}

pub(crate) fn json_answer(value: &Value) -> Response {
    axum::Json(value).into_response()
}

pub(crate) fn problem(status: u16, code: &str) -> Response {
    let problem = json!({
        "type": "about:blank", "title": "t", "status": status, "detail": "d", "Code": code,
        "Errors": [{"Line": 2, "Code": "not_json", "Message": "m"}]
    });
    let status = StatusCode::from_u16(status).unwrap();
    (status, axum::Json(problem)).into_response()
}
