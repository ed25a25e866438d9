#!/usr/bin/env node
// Here before the build, so that npm links it on install.
import '../dist/main.js'
