//! The Events endpoint of an API server, in memory, with failures on demand.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use hyper::{Method, Request, Response};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::events::SCOPE_ANNOTATION;

/// What happens to one request instead of its being served.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// This code with this body.
    Answer(u16, Value),
    /// 429 with a `Retry-After` header and a body that is no Status.
    Throttle(u64),
    /// The connection breaks before the request is served.
    Broken,
    /// The request is served and the answer is lost.
    Lost,
    /// No answer, ever.
    Silence,
    /// Another replica raises the count of every Event, then the request is served.
    Raced,
    /// Every Event expires, then the request is served.
    Expired,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub at: Instant,
}

#[derive(Default)]
struct World {
    events: BTreeMap<(String, String), Value>,
    version: u64,
    /// Taken one by one, by requests of the method.
    troubles: Vec<(Method, VecDeque<Trouble>)>,
    /// Until then each request meets it.
    outage: Option<(Instant, Trouble)>,
    calls: Vec<Call>,
}

#[derive(Clone, Default)]
pub struct FakeServer(Arc<Mutex<World>>);

impl FakeServer {
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request| {
            let server = server.clone();
            async move { server.handle(request).await }
        });
        Client::new(service, "default")
    }

    /// The next requests of `method` meet these.
    pub fn trouble(&self, method: Method, troubles: impl IntoIterator<Item = Trouble>) {
        self.world().troubles.push((method, troubles.into_iter().collect()));
    }

    /// All requests of the next `length` meet this.
    pub fn outage(&self, length: Duration, trouble: Trouble) {
        self.world().outage = Some((Instant::now() + length, trouble));
    }

    pub fn events(&self) -> Vec<Value> {
        self.world().events.values().cloned().collect()
    }

    /// Count of the Event with this message.
    pub fn count(&self, message: &str) -> Option<i64> {
        self.events().iter().find(|event| event["message"] == message)?["count"].as_i64()
    }

    /// Count of the Event with this message in this scope.
    pub fn count_in(&self, scope: &str, message: &str) -> Option<i64> {
        let annotated = |event: &Value| event["metadata"]["annotations"][SCOPE_ANNOTATION] == scope;
        let events = self.events().into_iter().filter(annotated);
        events.filter(|event| event["message"] == message).find_map(|e| e["count"].as_i64())
    }

    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    pub fn calls_of(&self, method: Method) -> usize {
        self.calls().iter().filter(|call| call.method == method).count()
    }

    /// Requests that write.
    pub fn writes(&self) -> usize {
        self.calls_of(Method::POST) + self.calls_of(Method::PATCH)
    }

    pub fn delete_all(&self) {
        self.world().events.clear();
    }

    /// Waits, in tokio's paused time, until `condition` holds.
    pub async fn until(&self, condition: impl Fn(&Self) -> bool) {
        for _ in 0..100_000 {
            if condition(self) {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
        panic!("it never came to be: {:#?}", self.events());
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, std::io::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        let uri = head.uri.to_string();
        let trouble = self.world().meet(&head.method);
        let broken = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        match trouble {
            Some(Trouble::Answer(code, body)) => return Ok(response(code, &body)),
            Some(Trouble::Throttle(seconds)) => {
                let mut response = Response::new(Body::from(b"Too many requests".to_vec()));
                *response.status_mut() = hyper::StatusCode::TOO_MANY_REQUESTS;
                response.headers_mut().insert("Retry-After", seconds.into());
                return Ok(response);
            }
            Some(Trouble::Broken) => return Err(broken()),
            Some(Trouble::Silence) => std::future::pending().await,
            Some(Trouble::Raced) => self.world().raise_all(),
            Some(Trouble::Expired) => self.world().events.clear(),
            Some(Trouble::Lost) | None => {}
        }
        let (code, answer) = self.world().serve(&head.method, &uri, &body);
        if matches!(trouble, Some(Trouble::Lost)) {
            return Err(broken());
        }
        Ok(response(code, &answer))
    }
}

impl World {
    fn meet(&mut self, method: &Method) -> Option<Trouble> {
        let now = Instant::now();
        self.calls.push(Call { method: method.clone(), at: now });
        if let Some((until, trouble)) = &self.outage
            && now < *until
        {
            return Some(trouble.clone());
        }
        self.troubles.iter_mut().filter(|(m, _)| m == method).find_map(|(_, list)| list.pop_front())
    }

    fn raise_all(&mut self) {
        for event in self.events.values_mut() {
            self.version += 1;
            event["count"] = json!(event["count"].as_i64().unwrap() + 1);
            event["metadata"]["resourceVersion"] = json!(self.version.to_string());
            event["reportingInstance"] = json!("another");
        }
    }

    fn serve(&mut self, method: &Method, uri: &str, body: &[u8]) -> (u16, Value) {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
        match (method, parts.as_slice()) {
            (&Method::GET, ["events"]) => (200, self.list(query)),
            (&Method::POST, ["namespaces", namespace, "events"]) => {
                let event: Value = serde_json::from_slice(body).unwrap();
                let name = event["metadata"]["name"].as_str().unwrap().to_owned();
                let key = (namespace.to_string(), name);
                if self.events.contains_key(&key) {
                    return (409, status(409, "AlreadyExists"));
                }
                (201, self.store(key, event))
            }
            (&Method::GET, ["namespaces", namespace, "events", name]) => self
                .events
                .get(&(namespace.to_string(), name.to_string()))
                .map_or((404, status(404, "NotFound")), |event| (200, event.clone())),
            (&Method::PATCH, ["namespaces", namespace, "events", name]) => {
                let key = (namespace.to_string(), name.to_string());
                let Some(mut event) = self.events.get(&key).cloned() else {
                    return (404, status(404, "NotFound"));
                };
                let patch: Value = serde_json::from_slice(body).unwrap();
                if patch["metadata"]["resourceVersion"] != event["metadata"]["resourceVersion"] {
                    return (409, status(409, "Conflict"));
                }
                json_patch::merge(&mut event, &patch);
                (200, self.store(key, event))
            }
            _ => panic!("no such request: {method} {uri}"),
        }
    }

    fn store(&mut self, key: (String, String), mut event: Value) -> Value {
        self.version += 1;
        event["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.events.insert(key, event.clone());
        event
    }

    /// Pages of two, so that a handful of Events takes several.
    fn list(&self, query: &str) -> Value {
        assert!(query.contains("fieldSelector=reportingComponent%3Dcontrolplane"), "{query}");
        assert!(query.contains("labelSelector=event-recorder%2Frole"), "{query}");
        let start: usize = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("continue="))
            .map_or(0, |token| token.parse().unwrap());
        let labelled: Vec<&Value> = self
            .events
            .values()
            .filter(|event| event["metadata"]["labels"]["event-recorder/role"].is_string())
            .collect();
        let page: Vec<&Value> = labelled.iter().copied().skip(start).take(2).collect();
        let next = start + page.len();
        let token = if next < labelled.len() { next.to_string() } else { String::new() };
        json!({"kind": "EventList", "apiVersion": "v1", "metadata": {"continue": token}, "items": page})
    }
}

/// A Status body.
pub fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
           "reason": reason, "message": format!("{reason} it is")})
}

fn response(code: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string().into_bytes()));
    *response.status_mut() = hyper::StatusCode::from_u16(code).unwrap();
    response
}
