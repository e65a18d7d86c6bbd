/*
 * The floor of the benchmark: the same sockets and the same bytes as a node, and no database behind them. What a node
 * costs above this is what its own code costs. One epoll loop per thread, one receive per ready connection, all complete
 * messages answered with one send; replies are built once, before the first request.
 *
 *   floor --port 22100 [--value-size 100] [--records 1000000] [--threads 1]
 *
 * A read answers one bin `b`, a write a bare header, a batch one record per key, a query its share of --records by the
 * partitions that it asks for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PROTO_LENGTH = 8, HEADER_LENGTH = 22, TYPE_INFO = 1, TYPE_MESSAGE = 3,
	INFO1_BATCH = 8, INFO2_WRITE = 1, INFO3_LAST = 1,
	FIELD_PARTITIONS = 11, FIELD_BATCH = 41, PARTITIONS = 4096,
	RECEIVE_MAX = 256 * 1024, FRAME_MAX = 128 * 1024, BATCH_MAX = 20000, EVENTS_MAX = 256,
};

typedef struct { uint8_t *bytes; size_t length; } bytes_t;

typedef struct {
	int file;
	size_t filled;
	uint64_t records_left; /* of a query in progress */
	uint8_t *waiting;      /* what the peer did not take yet */
	size_t waiting_length, waiting_sent;
	uint8_t received[RECEIVE_MAX];
} connection_t;

typedef struct { /* one per thread: grows to the largest answer to one receive, and stays */
	int epoll;
	bytes_t out;
	size_t out_capacity;
} loop_t;

static int port = 22100;
static size_t value_size = 100;
static uint64_t records = 1000000;
static bytes_t read_reply, write_reply, info_reply, batch_record, query_record, last_record, query_frame;
static uint64_t records_per_frame;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint16_t load16(const uint8_t *at) { uint16_t v; memcpy(&v, at, 2); return be16toh(v); }
static uint32_t load32(const uint8_t *at) { uint32_t v; memcpy(&v, at, 4); return be32toh(v); }
static uint64_t load64(const uint8_t *at) { uint64_t v; memcpy(&v, at, 8); return be64toh(v); }
static void store16(uint8_t *at, uint16_t v) { v = htobe16(v); memcpy(at, &v, 2); }
static void store32(uint8_t *at, uint32_t v) { v = htobe32(v); memcpy(at, &v, 4); }

static void store_proto(uint8_t *at, int type, uint64_t length)
{
	uint64_t v = htobe64((uint64_t)2 << 56 | (uint64_t)type << 48 | length);
	memcpy(at, &v, 8);
}

static void append_header(bytes_t *to, int info3, int fields, int operations)
{
	uint8_t *at = to->bytes + to->length;
	memset(at, 0, HEADER_LENGTH);
	at[0] = HEADER_LENGTH;
	at[3] = (uint8_t)info3;
	store32(at + 6, 1); /* generation */
	store16(at + 18, (uint16_t)fields);
	store16(at + 20, (uint16_t)operations);
	to->length += HEADER_LENGTH;
}

static void append_field(bytes_t *to, int type, const void *data, size_t length)
{
	uint8_t *at = to->bytes + to->length;
	store32(at, (uint32_t)length + 1);
	at[4] = (uint8_t)type;
	memcpy(at + 5, data, length);
	to->length += 5 + length;
}

static void append_bin(bytes_t *to)
{
	uint8_t *at = to->bytes + to->length;
	store32(at, (uint32_t)(4 + 1 + value_size));
	at[4] = 1; /* read */
	at[5] = 3; /* string */
	at[6] = 0;
	at[7] = 1;
	at[8] = 'b';
	memset(at + 9, 'v', value_size);
	to->length += 9 + value_size;
}

static bytes_t allocate(size_t capacity)
{
	bytes_t bytes = { malloc(capacity), 0 };
	if (bytes.bytes == NULL) {
		die("memory");
	}
	return bytes;
}

static void build_replies(void)
{
	uint8_t digest[20] = { 0 };
	size_t record_max = HEADER_LENGTH + 256 + value_size;

	batch_record = allocate(record_max);
	append_header(&batch_record, 0, 0, 1);
	append_bin(&batch_record);

	query_record = allocate(record_max);
	append_header(&query_record, 0, 3, 1);
	append_field(&query_record, 0, "test", 4);
	append_field(&query_record, 1, "bench", 5);
	append_field(&query_record, 4, digest, sizeof digest);
	append_bin(&query_record);

	last_record = allocate(HEADER_LENGTH);
	append_header(&last_record, INFO3_LAST, 0, 0);

	read_reply = allocate(PROTO_LENGTH + record_max);
	store_proto(read_reply.bytes, TYPE_MESSAGE, batch_record.length);
	memcpy(read_reply.bytes + PROTO_LENGTH, batch_record.bytes, batch_record.length);
	read_reply.length = PROTO_LENGTH + batch_record.length;

	write_reply = allocate(PROTO_LENGTH + HEADER_LENGTH);
	write_reply.length = PROTO_LENGTH;
	store_proto(write_reply.bytes, TYPE_MESSAGE, HEADER_LENGTH);
	append_header(&write_reply, 0, 0, 0);

	static const char info[] = "node\tF100A\n";
	info_reply = allocate(PROTO_LENGTH + sizeof info);
	store_proto(info_reply.bytes, TYPE_INFO, sizeof info - 1);
	memcpy(info_reply.bytes + PROTO_LENGTH, info, sizeof info - 1);
	info_reply.length = PROTO_LENGTH + sizeof info - 1;

	records_per_frame = FRAME_MAX / query_record.length + 1;
	query_frame = allocate(PROTO_LENGTH + records_per_frame * query_record.length);
	store_proto(query_frame.bytes, TYPE_MESSAGE, records_per_frame * query_record.length);
	query_frame.length = PROTO_LENGTH;
	for (uint64_t i = 0; i < records_per_frame; i++) {
		memcpy(query_frame.bytes + query_frame.length, query_record.bytes, query_record.length);
		query_frame.length += query_record.length;
	}
}

static uint8_t *reserve(loop_t *loop, size_t length)
{
	if (loop->out.length + length > loop->out_capacity) {
		loop->out_capacity = (loop->out.length + length) * 2;
		loop->out.bytes = realloc(loop->out.bytes, loop->out_capacity);
		if (loop->out.bytes == NULL) {
			die("memory");
		}
	}
	uint8_t *at = loop->out.bytes + loop->out.length;
	loop->out.length += length;
	return at;
}

static void reply(loop_t *loop, const bytes_t *with)
{
	memcpy(reserve(loop, with->length), with->bytes, with->length);
}

static void reply_records(loop_t *loop, const bytes_t *record, uint64_t count, int is_batch)
{
	uint64_t length = count * record->length + HEADER_LENGTH;
	uint8_t *at = reserve(loop, PROTO_LENGTH + length);
	store_proto(at, TYPE_MESSAGE, length);
	at += PROTO_LENGTH;
	for (uint64_t i = 0; i < count; i++, at += record->length) {
		memcpy(at, record->bytes, record->length);
		if (is_batch) {
			store32(at + 14, (uint32_t)i);
		}
	}
	memcpy(at, last_record.bytes, HEADER_LENGTH);
}

/* Finds a field; NULL when the message has none such, or is not well formed. */
static const uint8_t *find_field(const uint8_t *message, size_t length, int type, size_t *field_length)
{
	size_t at = HEADER_LENGTH;
	for (int left = load16(message + 18); left > 0 && at + 5 <= length; left--) {
		uint32_t size = load32(message + at);
		if (size == 0 || size > length - at - 4) {
			return NULL;
		}
		if (message[at + 4] == type) {
			*field_length = size - 1;
			return message + at + 5;
		}
		at += 4 + (size_t)size;
	}
	return NULL;
}

static int answer(loop_t *loop, connection_t *connection, const uint8_t *message, size_t length, int type)
{
	size_t field_length = 0;
	const uint8_t *field;
	if (type == TYPE_INFO) {
		reply(loop, &info_reply);
	} else if (type != TYPE_MESSAGE || length < HEADER_LENGTH) {
		return -1;
	} else if (message[1] & INFO1_BATCH) {
		field = find_field(message, length, FIELD_BATCH, &field_length);
		if (field == NULL || field_length < 5 || load32(field) > BATCH_MAX) {
			return -1;
		}
		reply_records(loop, &batch_record, load32(field), 1);
	} else if (message[2] & INFO2_WRITE) {
		reply(loop, &write_reply);
	} else if ((field = find_field(message, length, FIELD_PARTITIONS, &field_length)) != NULL) {
		connection->records_left = records * (field_length / 2) / PARTITIONS + 1; /* the end is counted like a record */
	} else {
		reply(loop, &read_reply);
	}
	return 0;
}

/* Answers every complete message; the rest of an incomplete one moves to the front. */
static int answer_all(loop_t *loop, connection_t *connection)
{
	size_t at = 0;
	while (connection->filled - at >= PROTO_LENGTH) {
		uint64_t proto = load64(connection->received + at);
		uint64_t length = proto & 0xFFFFFFFFFFFF;
		if (proto >> 56 != 2 || length > RECEIVE_MAX - PROTO_LENGTH) {
			return -1;
		}
		if (connection->filled - at - PROTO_LENGTH < length) {
			break;
		}
		if (answer(loop, connection, connection->received + at + PROTO_LENGTH, length, (uint8_t)(proto >> 48)) < 0) {
			return -1;
		}
		at += PROTO_LENGTH + length;
	}
	connection->filled -= at;
	if (connection->filled > 0 && at > 0) {
		memmove(connection->received, connection->received + at, connection->filled);
	}
	return 0;
}

static void watch(loop_t *loop, connection_t *connection, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = connection };
	if (epoll_ctl(loop->epoll, operation, connection->file, &event) < 0) {
		die("epoll_ctl");
	}
}

/* 1: all gone, 0: the peer must read first, -1: broken. */
static int send_out(loop_t *loop, connection_t *connection, const uint8_t *bytes, size_t length)
{
	size_t sent = 0;
	while (sent < length) {
		ssize_t n = send(connection->file, bytes + sent, length - sent, MSG_NOSIGNAL);
		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno != EAGAIN) {
			return -1;
		}
		connection->waiting_length = length - sent;
		connection->waiting_sent = 0;
		connection->waiting = malloc(connection->waiting_length);
		if (connection->waiting == NULL) {
			die("memory");
		}
		memcpy(connection->waiting, bytes + sent, connection->waiting_length);
		watch(loop, connection, EPOLL_CTL_MOD, EPOLLOUT);
		return 0;
	}
	return 1;
}

/* Sends whole frames of the query while the peer takes them, then the rest and the end. */
static int pump_query(loop_t *loop, connection_t *connection)
{
	while (connection->records_left > 0) {
		int state;
		if (connection->records_left > records_per_frame) {
			connection->records_left -= records_per_frame;
			state = send_out(loop, connection, query_frame.bytes, query_frame.length);
		} else {
			loop->out.length = 0;
			reply_records(loop, &query_record, connection->records_left - 1, 0);
			connection->records_left = 0;
			state = send_out(loop, connection, loop->out.bytes, loop->out.length);
		}
		if (state <= 0) {
			return state;
		}
	}
	return 1;
}

static int drain(loop_t *loop, connection_t *connection)
{
	while (connection->waiting_sent < connection->waiting_length) {
		ssize_t n = send(connection->file, connection->waiting + connection->waiting_sent,
			connection->waiting_length - connection->waiting_sent, MSG_NOSIGNAL);
		if (n < 0) {
			return errno == EAGAIN ? 0 : -1;
		}
		connection->waiting_sent += (size_t)n;
	}
	free(connection->waiting);
	connection->waiting = NULL;
	watch(loop, connection, EPOLL_CTL_MOD, EPOLLIN);
	return pump_query(loop, connection);
}

static int serve(loop_t *loop, connection_t *connection)
{
	ssize_t n = recv(connection->file, connection->received + connection->filled, RECEIVE_MAX - connection->filled, 0);
	if (n <= 0) {
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	connection->filled += (size_t)n;
	loop->out.length = 0;
	if (answer_all(loop, connection) < 0) {
		return -1;
	}
	int state = loop->out.length > 0 ? send_out(loop, connection, loop->out.bytes, loop->out.length) : 1;
	return state > 0 ? pump_query(loop, connection) : state;
}

static void accept_all(loop_t *loop, int listener)
{
	int file;
	while ((file = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		int on = 1;
		setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		connection_t *connection = malloc(sizeof *connection);
		if (connection == NULL) {
			die("memory");
		}
		memset(connection, 0, offsetof(connection_t, received));
		connection->file = file;
		watch(loop, connection, EPOLL_CTL_ADD, EPOLLIN);
	}
}

static int listen_on(void)
{
	int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (file < 0 || bind(file, (struct sockaddr *)&address, sizeof address) < 0 || listen(file, 4096) < 0) {
		die("listen");
	}
	return file;
}

static void *run(void *ignored)
{
	(void)ignored;
	loop_t loop = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
	int listener = listen_on();
	struct epoll_event events[EVENTS_MAX], first = { .events = EPOLLIN, .data.ptr = NULL };
	if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, listener, &first) < 0) {
		die("epoll_ctl");
	}
	for (;;) {
		int count = epoll_wait(loop.epoll, events, EVENTS_MAX, -1);
		for (int i = 0; i < count; i++) {
			connection_t *connection = events[i].data.ptr;
			if (connection == NULL) {
				accept_all(&loop, listener);
			} else if ((connection->waiting != NULL ? drain(&loop, connection) : serve(&loop, connection)) < 0) {
				close(connection->file);
				free(connection->waiting);
				free(connection);
			}
		}
	}
	return NULL;
}

int main(int count, char **arguments)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' }, { "value-size", required_argument, NULL, 'v' },
		{ "records", required_argument, NULL, 'r' }, { "threads", required_argument, NULL, 't' }, { 0 } };
	int option, threads = 1;
	while ((option = getopt_long(count, arguments, "", options, NULL)) >= 0) {
		switch (option) {
		case 'p': port = atoi(optarg); break;
		case 'v': value_size = (size_t)atol(optarg); break;
		case 'r': records = (uint64_t)atoll(optarg); break;
		case 't': threads = atoi(optarg); break;
		default: return 2;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	build_replies();
	for (int i = 1; i < threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, run, NULL) != 0) {
			die("thread");
		}
	}
	run(NULL);
}
