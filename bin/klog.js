#!/usr/bin/env node
require('../dist/klog.cjs');
