/*
 * A TCP front for corosync's closed process groups (CPG). Programs reach CPG only through libcpg, over shared memory, and the load generator
 * uses sockets only. This bridge connects them like a client of corosync: one thread, one CPG handle for each connection. Its cost is part of
 * the measurement.
 *
 *   corosync-bridge ADDRESS PORT NODES    waits until corosync has a ring of NODES nodes, prints "bridging", serves
 *
 * Every frame is a little-endian u32 length and that many bytes.
 *
 *   receiver:  'R' group     answered with an empty frame once it is a member; then each message of the group comes as one frame
 *   sender:    'S'           answered with an empty frame; then each frame is a message: u8 length of the group's name, name, payload
 *
 * Only members may multicast, so a sender joins the group of its first message, and the bridge drops what the sender receives.
 */
#include <arpa/inet.h>
#include <corosync/cpg.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
  HEAD_BYTES = 4,
  READ_BYTES = 256 * 1024,
  MAX_FRAME_BYTES = 2 * 1024 * 1024,
  /* The bridge reads no more from corosync for a receiver with this many unread bytes. */
  MAX_WAITING_BYTES = 4 * 1024 * 1024,
  DISPATCHES_PER_TURN = 256,
  /* Only deliveries of earlier messages show that corosync accepts messages again, so the bridge also retries. */
  RETRY_MS = 1,
  MAX_EVENTS = 64
};

struct buffer {
  char *bytes;
  size_t start, end, capacity;
};

struct watched {
  struct client *client; /* NULL: the listening socket */
  int fd;
  uint32_t events;
};

struct client {
  struct client *next;
  struct watched tcp, cpg;
  cpg_handle_t handle;
  struct cpg_name group;
  struct buffer in, out;
  char role; /* 0 before its first frame */
  bool joined, blocked, dead;
};

static int epoll_fd;
static struct client *clients;
static pid_t pretended_pid = 10 * 1000 * 1000; /* above all real ones */
static bool pretending;
static uint32_t ring_nodes;

/* corosync allows one member of a group per process id, and this process has many members. libcpg asks for the id here. */
pid_t getpid(void) { return pretending ? pretended_pid : (pid_t)syscall(SYS_getpid); }

static void die(const char *what) {
  fprintf(stderr, "corosync-bridge: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void fail(struct client *client, const char *what, int error) {
  fprintf(stderr, "corosync-bridge: %s: error %d\n", what, error);
  client->dead = true;
}

static void reserve(struct buffer *buffer, size_t bytes) {
  if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
  if (buffer->capacity - buffer->end >= bytes) return;
  size_t used = buffer->end - buffer->start;
  if (buffer->start > 0) memmove(buffer->bytes, buffer->bytes + buffer->start, used);
  buffer->start = 0;
  buffer->end = used;
  if (buffer->capacity - used >= bytes) return;
  buffer->capacity = 2 * (used + bytes);
  buffer->bytes = realloc(buffer->bytes, buffer->capacity);
  if (buffer->bytes == NULL) die("memory");
}

static void append_frame(struct buffer *out, const void *bytes, size_t length) {
  uint32_t head = htole32((uint32_t)length);
  reserve(out, HEAD_BYTES + length);
  memcpy(out->bytes + out->end, &head, HEAD_BYTES);
  if (length > 0) memcpy(out->bytes + out->end + HEAD_BYTES, bytes, length);
  out->end += HEAD_BYTES + length;
}

static void watch(struct watched *watched, uint32_t events, int operation) {
  if (operation == EPOLL_CTL_MOD && watched->events == events) return;
  watched->events = events;
  struct epoll_event event = {.events = events, .data.ptr = watched};
  if (epoll_ctl(epoll_fd, operation, watched->fd, &event) != 0) die("epoll_ctl");
}

static void delivered(cpg_handle_t handle, const struct cpg_name *group, uint32_t node, uint32_t pid, void *bytes, size_t length) {
  (void)group, (void)node, (void)pid;
  void *context;
  if (cpg_context_get(handle, &context) != CS_OK || context == NULL) return;
  struct client *client = context;
  if (client->role == 'R') append_frame(&client->out, bytes, length);
}

/* The first view of a handle is the one in which it becomes a member. */
static void view_changed(cpg_handle_t handle, const struct cpg_name *group, const struct cpg_address *members, size_t member_count,
                         const struct cpg_address *left, size_t left_count, const struct cpg_address *new, size_t new_count) {
  (void)group, (void)members, (void)member_count, (void)left, (void)left_count, (void)new, (void)new_count;
  void *context;
  if (cpg_context_get(handle, &context) != CS_OK || context == NULL) return;
  struct client *client = context;
  if (client->role == 'R' && !client->joined) append_frame(&client->out, NULL, 0);
  client->joined = true;
}

static void ring_changed(cpg_handle_t handle, struct cpg_ring_id ring, uint32_t node_count, const uint32_t *nodes) {
  (void)handle, (void)ring, (void)nodes;
  ring_nodes = node_count;
}

static cs_error_t open_handle(cpg_handle_t *handle, const struct cpg_name *group, void *context) {
  cpg_model_v1_data_t model = {
      .model = CPG_MODEL_V1,
      .cpg_deliver_fn = delivered,
      .cpg_confchg_fn = view_changed,
      .cpg_totem_confchg_fn = ring_changed,
      .flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF,
  };
  cs_error_t error = cpg_model_initialize(handle, CPG_MODEL_V1, (cpg_model_data_t *)&model, context);
  if (error != CS_OK) return error;
  pretended_pid++;
  pretending = true;
  while ((error = cpg_join(*handle, group)) == CS_ERR_TRY_AGAIN) usleep(RETRY_MS * 1000);
  pretending = false;
  if (error != CS_OK) cpg_finalize(*handle);
  return error;
}

static void join(struct client *client, const char *name, size_t length) {
  if (length > CPG_MAX_NAME_LENGTH) return fail(client, "length of a group's name", (int)length);
  client->group.length = (uint32_t)length;
  memcpy(client->group.value, name, length);
  cs_error_t error = open_handle(&client->handle, &client->group, client);
  if (error != CS_OK) return fail(client, "joining", error);
  client->cpg.client = client;
  cpg_fd_get(client->handle, &client->cpg.fd);
  watch(&client->cpg, EPOLLIN, EPOLL_CTL_ADD);
}

/* False: the frame must wait. */
static bool take_frame(struct client *client, char *frame, size_t length) {
  if (client->role == 0) {
    client->role = length > 0 ? frame[0] : '?';
    if (client->role == 'R') join(client, frame + 1, length - 1);
    else if (client->role == 'S') append_frame(&client->out, NULL, 0);
    else fail(client, "unknown role", client->role);
    return true;
  }
  size_t name_length = length > 0 ? (unsigned char)frame[0] : 0;
  if (client->role != 'S' || length < 1 + name_length) return fail(client, "malformed frame", (int)length), true;
  if (client->cpg.client == NULL) join(client, frame + 1, name_length);
  if (client->dead) return true;
  if (!client->joined) return false;
  if (name_length != client->group.length || memcmp(frame + 1, client->group.value, name_length) != 0)
    return fail(client, "a second group", 0), true;
  struct iovec payload = {.iov_base = frame + 1 + name_length, .iov_len = length - 1 - name_length};
  cs_error_t error = cpg_mcast_joined(client->handle, CPG_TYPE_AGREED, &payload, 1);
  if (error == CS_ERR_TRY_AGAIN) return false;
  if (error != CS_OK) fail(client, "multicasting", error);
  return true;
}

static void take_frames(struct client *client) {
  struct buffer *in = &client->in;
  client->blocked = false;
  while (!client->dead && in->end - in->start >= HEAD_BYTES) {
    uint32_t length;
    memcpy(&length, in->bytes + in->start, HEAD_BYTES);
    length = le32toh(length);
    if (length > MAX_FRAME_BYTES) return fail(client, "length of a frame", (int)length);
    if (in->end - in->start - HEAD_BYTES < length) break;
    if (!take_frame(client, in->bytes + in->start + HEAD_BYTES, length)) {
      client->blocked = true;
      return;
    }
    in->start += HEAD_BYTES + length;
  }
}

static void read_tcp(struct client *client) {
  reserve(&client->in, READ_BYTES);
  ssize_t got = read(client->tcp.fd, client->in.bytes + client->in.end, client->in.capacity - client->in.end);
  if (got > 0) {
    client->in.end += (size_t)got;
    take_frames(client);
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    client->dead = true;
  }
}

static void dispatch(struct client *client) {
  for (int i = 0; i < DISPATCHES_PER_TURN && client->out.end - client->out.start < MAX_WAITING_BYTES; i++) {
    cs_error_t error = cpg_dispatch(client->handle, CS_DISPATCH_ONE_NONBLOCKING);
    if (error == CS_ERR_TRY_AGAIN) return;
    if (error != CS_OK) return fail(client, "dispatching", error);
  }
}

/* Writes pending bytes, and waits for the events that allow progress. */
static void settle(struct client *client) {
  struct buffer *out = &client->out;
  while (!client->dead && out->end > out->start) {
    ssize_t put = send(client->tcp.fd, out->bytes + out->start, out->end - out->start, MSG_NOSIGNAL);
    if (put > 0) out->start += (size_t)put;
    else if (errno == EAGAIN) break;
    else if (errno != EINTR) client->dead = true;
  }
  if (client->dead) return;
  size_t waiting = out->end - out->start;
  watch(&client->tcp, (client->blocked ? 0 : EPOLLIN) | (waiting > 0 ? EPOLLOUT : 0), EPOLL_CTL_MOD);
  if (client->cpg.client != NULL) watch(&client->cpg, waiting < MAX_WAITING_BYTES ? EPOLLIN : 0, EPOLL_CTL_MOD);
}

static void accept_client(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
  if (fd < 0) return;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct client *client = calloc(1, sizeof *client);
  if (client == NULL) die("memory");
  client->tcp = (struct watched){.client = client, .fd = fd};
  client->next = clients;
  clients = client;
  watch(&client->tcp, EPOLLIN, EPOLL_CTL_ADD);
}

static void bury_dead(void) {
  for (struct client **at = &clients; *at != NULL;) {
    struct client *client = *at;
    if (!client->dead) {
      at = &client->next;
      continue;
    }
    *at = client->next;
    if (client->cpg.client != NULL) {
      epoll_ctl(epoll_fd, EPOLL_CTL_DEL, client->cpg.fd, NULL);
      cpg_finalize(client->handle);
    }
    close(client->tcp.fd);
    free(client->in.bytes);
    free(client->out.bytes);
    free(client);
  }
}

static void await_ring(uint32_t nodes) {
  const struct cpg_name group = {.length = 4, .value = "ring"};
  cpg_handle_t handle = 0;
  while (ring_nodes < nodes) {
    if (handle == 0 && open_handle(&handle, &group, NULL) != CS_OK) handle = 0;
    if (handle != 0) cpg_dispatch(handle, CS_DISPATCH_ALL);
    usleep(10 * RETRY_MS * 1000);
  }
  cpg_finalize(handle);
}

static int listen_on(const char *host, uint16_t port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(host)};
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1024) != 0) die("listening");
  return listener;
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: corosync-bridge ADDRESS PORT NODES\n"), 2;
  await_ring((uint32_t)atoi(argv[3]));
  epoll_fd = epoll_create1(0);
  struct watched listener = {.fd = listen_on(argv[1], (uint16_t)atoi(argv[2]))};
  watch(&listener, EPOLLIN, EPOLL_CTL_ADD);
  puts("bridging");
  fflush(stdout);
  for (bool blocked = false;;) {
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll_fd, events, MAX_EVENTS, blocked ? RETRY_MS : -1);
    for (int i = 0; i < count; i++) {
      struct watched *watched = events[i].data.ptr;
      struct client *client = watched->client;
      if (client == NULL) {
        accept_client(watched->fd);
        continue;
      }
      if (client->dead) continue;
      if (watched == &client->cpg) dispatch(client);
      else if (events[i].events & (EPOLLHUP | EPOLLERR)) client->dead = true;
      else if (events[i].events & EPOLLIN) read_tcp(client);
      settle(client);
    }
    blocked = false;
    bool dead = false;
    for (struct client *client = clients; client != NULL; client = client->next) {
      if (client->blocked && !client->dead) {
        take_frames(client);
        settle(client);
      }
      blocked |= client->blocked && !client->dead;
      dead |= client->dead;
    }
    if (dead) bury_dead();
  }
}
