// Bun's native publish: the room is a topic that sockets subscribe to.
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  fetch(request, server) {
    if (server.upgrade(request, { data: { room: "", username: "" } })) return;
    return new Response("a WebSocket is wanted", { status: 426 });
  },
  websocket: {
    message(socket, message) {
      const frame = JSON.parse(message);
      const data = socket.data;
      if (frame.type === "join" && !data.room) {
        data.room = frame.room;
        data.username = frame.username;
        socket.subscribe(data.room);
        socket.send(JSON.stringify({ type: "welcome", room: data.room, username: data.username }));
      } else if (frame.type === "chat" && data.room) {
        server.publish(
          data.room,
          JSON.stringify({
            type: "chat",
            room: data.room,
            username: data.username,
            text: frame.text,
            ts: Date.now(),
          }),
        );
      }
    },
  },
});
