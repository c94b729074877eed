//! A chat with a tokio broadcast channel for each room, after axum's own chat example: a task that
//! reads and a task that writes for each connection. The text is made once for all members; a
//! channel holds 1,024 messages, and who falls further behind is told how many were lost.

use std::{
    collections::HashMap,
    env,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
    response::Response,
    routing::get,
    serve::ListenerExt,
};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{self, error::RecvError};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Incoming {
    Join { room: String, username: String },
    Chat { text: String },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Outgoing<'a> {
    Welcome { room: &'a str, username: &'a str },
    Chat { room: &'a str, username: &'a str, text: &'a str, ts: u128 },
    Gap { missed: u64 },
}

type Rooms = Arc<Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>>;

fn encoded(frame: &Outgoing) -> Utf8Bytes {
    serde_json::to_string(frame).expect("a frame is JSON").into()
}

fn milliseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

async fn upgrade(upgrade: WebSocketUpgrade, State(rooms): State<Rooms>) -> Response {
    upgrade.on_upgrade(move |socket| serve(socket, rooms))
}

async fn serve(socket: WebSocket, rooms: Rooms) {
    let (mut sink, mut stream) = socket.split();
    let (room, username) = loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => {
                if let Ok(Incoming::Join { room, username }) = serde_json::from_str(&text) {
                    break (room, username);
                }
            }
            Some(Ok(_)) => {}
            _ => return,
        }
    };
    let sender = {
        let mut rooms = rooms.lock().expect("nobody panics with it");
        rooms.entry(room.clone()).or_insert_with(|| broadcast::channel(1024).0).clone()
    };
    let mut receiver = sender.subscribe();
    let welcome = encoded(&Outgoing::Welcome { room: &room, username: &username });
    if sink.send(Message::Text(welcome)).await.is_err() {
        return;
    }
    let writer = tokio::spawn(async move {
        loop {
            let text = match receiver.recv().await {
                Ok(text) => text,
                Err(RecvError::Lagged(missed)) => encoded(&Outgoing::Gap { missed }),
                Err(RecvError::Closed) => return,
            };
            if sink.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = stream.next().await {
        if let Message::Text(text) = message
            && let Ok(Incoming::Chat { text }) = serde_json::from_str(&text)
        {
            let chat =
                Outgoing::Chat { room: &room, username: &username, text: &text, ts: milliseconds() };
            _ = sender.send(encoded(&chat));
        }
    }
    writer.abort();
}

#[tokio::main]
async fn main() {
    let port = env::var("PORT").expect("PORT says where to listen");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .expect("the port is free")
        // Else a small message waits for the last one's acknowledgement.
        .tap_io(|socket| _ = socket.set_nodelay(true));
    let app = Router::new().route("/ws", get(upgrade)).with_state(Rooms::default());
    axum::serve(listener, app).await.expect("it serves");
}
