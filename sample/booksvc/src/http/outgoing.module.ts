import { Module } from '@nestjs/common';
import { OutgoingAgents } from './outgoing-agents.js';

/** The connections that the clients of all services share. */
@Module({ providers: [OutgoingAgents], exports: [OutgoingAgents] })
export class OutgoingModule {}
