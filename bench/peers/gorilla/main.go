// The chat pattern of gorilla/websocket's own example: a hub a room, a goroutine that reads and one
// that writes for each connection, and a channel of 256 messages between.
//
// Two things differ from the example. Where it closes a client whose channel is full, the hub here
// waits, so that a burst does not throw members out (the example's way would end most runs). And
// each message is a WebSocket message of its own, where the example joins those that wait into one.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

type incoming struct {
	Type     string `json:"type"`
	Room     string `json:"room"`
	Username string `json:"username"`
	Text     string `json:"text"`
}

type outgoing struct {
	Type     string `json:"type"`
	Room     string `json:"room"`
	Username string `json:"username"`
	Text     string `json:"text,omitempty"`
	Ts       int64  `json:"ts,omitempty"`
}

type client struct {
	conn *websocket.Conn
	send chan *websocket.PreparedMessage
	gone chan struct{} // closed when its reader has ended
}

type hub struct {
	clients    map[*client]bool
	broadcast  chan *websocket.PreparedMessage
	register   chan *client
	unregister chan *client
}

func (h *hub) run() {
	for {
		select {
		case c := <-h.register:
			h.clients[c] = true
		case c := <-h.unregister:
			if h.clients[c] {
				delete(h.clients, c)
				close(c.send)
			}
		case message := <-h.broadcast:
			for c := range h.clients {
				select {
				case c.send <- message:
				case <-c.gone:
				}
			}
		}
	}
}

var (
	lock sync.Mutex
	hubs = map[string]*hub{}
)

func room(name string) *hub {
	lock.Lock()
	defer lock.Unlock()
	h := hubs[name]
	if h == nil {
		h = &hub{map[*client]bool{}, make(chan *websocket.PreparedMessage), make(chan *client), make(chan *client)}
		hubs[name] = h
		go h.run()
	}
	return h
}

func prepared(message outgoing) *websocket.PreparedMessage {
	text, _ := json.Marshal(message)
	ready, _ := websocket.NewPreparedMessage(websocket.TextMessage, text)
	return ready
}

func (c *client) write() {
	ticker := time.NewTicker(54 * time.Second)
	defer func() {
		ticker.Stop()
		c.conn.Close()
	}()
	for {
		select {
		case message, ok := <-c.send:
			c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
			if !ok || c.conn.WritePreparedMessage(message) != nil {
				return
			}
		case <-ticker.C:
			c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
			if c.conn.WriteMessage(websocket.PingMessage, nil) != nil {
				return
			}
		}
	}
}

func (c *client) read() {
	var in *hub
	var name, user string
	defer func() {
		close(c.gone)
		if in != nil {
			in.unregister <- c
		}
		c.conn.Close()
	}()
	c.conn.SetReadLimit(65536)
	c.conn.SetReadDeadline(time.Now().Add(60 * time.Second))
	c.conn.SetPongHandler(func(string) error {
		return c.conn.SetReadDeadline(time.Now().Add(60 * time.Second))
	})
	for {
		var message incoming
		if c.conn.ReadJSON(&message) != nil {
			return
		}
		switch {
		case message.Type == "join" && in == nil:
			name, user = message.Room, message.Username
			in = room(name)
			in.register <- c
			c.send <- prepared(outgoing{Type: "welcome", Room: name, Username: user})
		case message.Type == "chat" && in != nil:
			in.broadcast <- prepared(outgoing{"chat", name, user, message.Text, time.Now().UnixMilli()})
		}
	}
}

func main() {
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		c := &client{conn, make(chan *websocket.PreparedMessage, 256), make(chan struct{})}
		go c.write()
		go c.read()
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
