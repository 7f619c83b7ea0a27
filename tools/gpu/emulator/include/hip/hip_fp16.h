// Part of device.h.
