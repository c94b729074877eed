// Socket.IO's own rooms.
import { Server } from "socket.io";

const io = new Server(Number(process.env.PORT), { transports: ["websocket"] });

io.on("connection", (socket) => {
  let room, username;
  socket.on("join", (frame) => {
    ({ room, username } = frame);
    socket.join(room);
    socket.emit("welcome", { room, username });
  });
  socket.on("chat", ({ text }) => {
    io.to(room).emit("chat", { room, username, text, ts: Date.now() });
  });
});
