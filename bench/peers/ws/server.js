// A room is a Set of sockets; what one says is sent to each.
import { WebSocketServer } from "ws";

const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT), path: "/ws" });

server.on("connection", (socket) => {
  let room, username, members;
  socket.on("error", () => {});
  socket.on("message", (data) => {
    const frame = JSON.parse(data);
    if (frame.type === "join" && !members) {
      ({ room, username } = frame);
      members = rooms.get(room) ?? new Set();
      rooms.set(room, members);
      members.add(socket);
      socket.send(JSON.stringify({ type: "welcome", room, username }));
    } else if (frame.type === "chat" && members) {
      const text = JSON.stringify({ type: "chat", room, username, text: frame.text, ts: Date.now() });
      for (const member of members) member.send(text);
    }
  });
  socket.on("close", () => {
    if (members?.delete(socket) && !members.size) rooms.delete(room);
  });
});
