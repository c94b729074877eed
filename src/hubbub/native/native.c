/* The loops that cost the most, in C. Each has a twin in Python that is used where this could not
 * be built, and that says what it has to do: websocket/texts.py, delivery/sending.py and
 * delivery/receiving.py. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#ifdef __linux__
#include <sys/epoll.h>
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* texts(data, most) */

static PyObject *
unmasked(const uint8_t *mask, const uint8_t *from, Py_ssize_t size)
{
    uint8_t small[1024], *to = small;
    if (size > (Py_ssize_t)sizeof small && (to = PyMem_Malloc(size)) == NULL)
        return PyErr_NoMemory();
    uint64_t wide, eight;
    uint32_t four;
    memcpy(&four, mask, 4);
    eight = (uint64_t)four << 32 | four;
    Py_ssize_t at = 0;
    for (; at + 8 <= size; at += 8) {
        memcpy(&wide, from + at, 8);
        wide ^= eight;
        memcpy(to + at, &wide, 8);
    }
    for (; at < size; at++)
        to[at] = from[at] ^ mask[at & 3];
    PyObject *text = PyUnicode_DecodeUTF8((const char *)to, size, "strict");
    if (to != small)
        PyMem_Free(to);
    return text;
}

static PyObject *
texts(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    Py_ssize_t most, end, at = 0;
    char *start;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "texts takes data and most");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(given[0], &start, &end) < 0)
        return NULL;
    most = PyLong_AsSsize_t(given[1]);
    if (most == -1 && PyErr_Occurred())
        return NULL;
    const uint8_t *data = (const uint8_t *)start;
    PyObject *found = PyList_New(0);
    if (found == NULL)
        return NULL;
    while (at < end) {
        Py_ssize_t head = 6, size;
        if (end - at < 6 || data[at] != 0x81 || !(data[at + 1] & 0x80))
            goto other;
        size = data[at + 1] & 0x7f;
        if (size == 127)
            goto other;
        if (size == 126) {
            size = data[at + 2] << 8 | data[at + 3];
            head = 8;
        }
        if (size > most || end - at < head + size)
            goto other;
        PyObject *text = unmasked(data + at + head - 4, data + at + head, size);
        if (text == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
                goto failed;
            PyErr_Clear();
            goto other;
        }
        int problem = PyList_Append(found, text);
        Py_DECREF(text);
        if (problem < 0)
            goto failed;
        at += head + size;
    }
    return found;
other:
    Py_DECREF(found);
    Py_RETURN_NONE;
failed:
    Py_DECREF(found);
    return NULL;
}

/* Sender(fd) */

typedef struct {
    PyObject_HEAD
    int fd;
} Sender;

static PyObject *sender_type;

static int
sender_init(PyObject *self, PyObject *args, PyObject *named)
{
    static char *names[] = {"fd", NULL};
    return PyArg_ParseTupleAndKeywords(args, named, "i:Sender", names, &((Sender *)self)->fd) ? 0 : -1;
}

static PyObject *
sender_call(PyObject *self, PyObject *args, PyObject *Py_UNUSED(named))
{
    PyObject *bytes;
    char *data;
    Py_ssize_t size, sent;
    if (!PyArg_ParseTuple(args, "S:Sender", &bytes))
        return NULL;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return NULL;
    int fd = ((Sender *)self)->fd;
    Py_BEGIN_ALLOW_THREADS
    sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    Py_END_ALLOW_THREADS
    return sent < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromSsize_t(sent);
}

static PyObject *
sender_detach(PyObject *self, PyObject *Py_UNUSED(none))
{
    ((Sender *)self)->fd = -1;
    Py_RETURN_NONE;
}

static void
sender_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef sender_members[] = {
    {"fd", T_INT, offsetof(Sender, fd), READONLY, "The descriptor; -1: none any more."},
    {NULL},
};

static PyMethodDef sender_methods[] = {
    {"detach", sender_detach, METH_NOARGS, "The descriptor is somebody else's from now on."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot sender_slots[] = {
    {Py_tp_doc, "Sends to one socket, and never waits."},
    {Py_tp_init, sender_init},
    {Py_tp_call, sender_call},
    {Py_tp_methods, sender_methods},
    {Py_tp_members, sender_members},
    {Py_tp_dealloc, sender_dealloc},
    {0, NULL},
};

static PyType_Spec sender_spec = {
    "hubbub._native.Sender", sizeof(Sender), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    sender_slots,
};

/* send_all(ready, data) */

static int
noted(PyObject **slow, PyObject *key, Py_ssize_t sent)
{
    if (*slow == NULL && (*slow = PyList_New(0)) == NULL)
        return -1;
    PyObject *pair = Py_BuildValue("(On)", key, sent);
    int problem = pair == NULL ? -1 : PyList_Append(*slow, pair);
    Py_XDECREF(pair);
    return problem;
}

/* What a call of `key` sends: -1 where it failed, -2 where it raised what nobody foresaw. */
static Py_ssize_t
called(PyObject *key, PyObject *bytes)
{
    PyObject *answer = PyObject_CallFunctionObjArgs(key, bytes, NULL);
    if (answer != NULL) {
        Py_ssize_t sent = PyLong_AsSsize_t(answer);
        Py_DECREF(answer);
        return sent == -1 && PyErr_Occurred() ? -2 : sent;
    }
    if (PyErr_ExceptionMatches(PyExc_BlockingIOError) ||
        PyErr_ExceptionMatches(PyExc_InterruptedError)) {
        PyErr_Clear();
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_OSError)) {
        PyErr_Clear();
        return -1;
    }
    return -2;
}

static PyObject *
send_all(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t arguments)
{
    PyObject *ready, *bytes, *key, *value, *slow = NULL;
    char *data;
    Py_ssize_t size, at = 0, count = 0;
    if (arguments != 2 || !PyDict_Check(given[0])) {
        PyErr_SetString(PyExc_TypeError, "send_all takes a dict and data");
        return NULL;
    }
    ready = given[0];
    bytes = given[1];
    if (PyBytes_AsStringAndSize(bytes, &data, &size) < 0)
        return NULL;
    Py_ssize_t most = PyDict_Size(ready);
    struct one { PyObject *key; Py_ssize_t sent; int fd; } few[64], *all = few;
    if (most > 64 && (all = PyMem_Malloc(most * sizeof *all)) == NULL)
        return PyErr_NoMemory();
    /* Held, because what a key calls might change `ready`. */
    while (PyDict_Next(ready, &at, &key, &value)) {
        all[count].key = Py_NewRef(key);
        all[count].sent = 0;
        all[count++].fd = PyObject_TypeCheck(key, (PyTypeObject *)sender_type) ? ((Sender *)key)->fd : -2;
    }
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < count; i++) {
        if (all[i].fd == -2)
            continue;
        Py_ssize_t sent = send(all[i].fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            sent = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
        all[i].sent = sent;
    }
    Py_END_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < count; i++) {
        if (all[i].fd == -2 && (all[i].sent = called(all[i].key, bytes)) == -2)
            goto failed;
        if (all[i].sent != size && noted(&slow, all[i].key, all[i].sent) < 0)
            goto failed;
    }
    if (slow == NULL)
        slow = PyList_New(0);
    goto done;
failed:
    Py_CLEAR(slow);
done:
    for (Py_ssize_t i = 0; i < count; i++)
        Py_DECREF(all[i].key);
    if (all != few)
        PyMem_Free(all);
    return slow;
}

#ifdef __linux__

/* receive(epoll) */

enum { LOOKED_AT = 256, ONE = 65536, ALL = 1 << 20 };

/* Put `(fd, what)` into the list; takes `what`, which may be NULL for an error. */
static int
came(PyObject *list, int fd, PyObject *what)
{
    PyObject *number = what == NULL ? NULL : PyLong_FromLong(fd);
    PyObject *pair = number == NULL ? NULL : PyTuple_Pack(2, number, what);
    int problem = pair == NULL ? -1 : PyList_Append(list, pair);
    Py_XDECREF(pair);
    Py_XDECREF(number);
    Py_XDECREF(what);
    return problem;
}

static PyObject *
receive(PyObject *Py_UNUSED(module), PyObject *epoll)
{
    static char buffer[ONE];
    struct epoll_event events[LOOKED_AT];
    int from = PyLong_AsLong(epoll);
    if (from == -1 && PyErr_Occurred())
        return NULL;
    int count = epoll_wait(from, events, LOOKED_AT, 0);
    if (count < 0 && errno != EINTR)
        return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *found = PyList_New(0);
    if (found == NULL)
        return NULL;
    Py_ssize_t all = 0;
    for (int i = 0; i < count && all < ALL; i++) {
        int fd = events[i].data.fd;
        if (events[i].events & EPOLLOUT && came(found, fd, Py_NewRef(Py_None)) < 0)
            goto failed;
        if (!(events[i].events & ~EPOLLOUT))
            continue;
        /* Nothing here waits, so the interpreter's lock may be kept. */
        Py_ssize_t size = recv(fd, buffer, ONE, MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            continue;
        all += size < 0 ? 0 : size;
        if (came(found, fd, size < 0 ? PyLong_FromLong(errno)
                                     : PyBytes_FromStringAndSize(buffer, size)) < 0)
            goto failed;
    }
    return found;
failed:
    Py_DECREF(found);
    return NULL;
}

#endif

static PyMethodDef functions[] = {
    {"texts", (PyCFunction)(void (*)(void))texts, METH_FASTCALL,
     "texts(data, most) -> the texts of whole frames, or None where there is anything else."},
    {"send_all", (PyCFunction)(void (*)(void))send_all, METH_FASTCALL,
     "send_all(ready, data) -> whom it did not reach whole, as (key, bytes sent or -1)."},
#ifdef __linux__
    {"receive", receive, METH_O,
     "receive(epoll) -> what can be read of whom, as (fd, bytes, errno or None to be written)."},
#endif
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", NULL, -1, functions, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    PyObject *made = PyModule_Create(&module);
    sender_type = PyType_FromSpec(&sender_spec);
    if (made == NULL || sender_type == NULL || PyModule_AddObjectRef(made, "Sender", sender_type) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
