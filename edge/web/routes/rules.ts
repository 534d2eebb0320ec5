import type { FastifyInstance } from 'fastify';
import { completeRule, type RuleDraft } from '../../rules/rule.js';
import { id, list, object, ref } from '../schemas/build.js';
import { type ApiContext, found, siteOf } from './context.js';
import { route } from './route.js';

const tag = 'rules';
const params = object({ id });
type One = { Params: { id: string } };

/** Rules that alerts come from. */
export function ruleRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/rules',
    route({ id: 'listRules', summary: 'All rules', tag, answer: object({ rules: list(ref('Rule')) }) }),
    () => ({ rules: siteOf(context).rules() }),
  );
  app.get<One>(
    '/rules/:id',
    route({ id: 'getRule', summary: 'One rule', tag, params, answer: ref('Rule') }),
    async ({ params }) => found(siteOf(context).rule(params.id), 'rule'),
  );
  app.post<{ Body: RuleDraft }>(
    '/rules',
    route({
      id: 'createRule',
      summary: 'Adds a rule',
      tag,
      role: 'operator',
      body: ref('RuleDraft'),
      answer: ref('Rule'),
      status: 201,
    }),
    async ({ body }, reply) => reply.code(201).send(await siteOf(context).saveRule(completeRule(body))),
  );
  app.put<One & { Body: RuleDraft }>(
    '/rules/:id',
    route({
      id: 'replaceRule',
      summary: 'Changes a rule; what is left out gets its default',
      tag,
      role: 'operator',
      params,
      body: ref('RuleDraft'),
      answer: ref('Rule'),
    }),
    async ({ params, body }) => {
      found(siteOf(context).rule(params.id), 'rule');
      return siteOf(context).saveRule(completeRule(body), params.id);
    },
  );
  app.delete<One>(
    '/rules/:id',
    route({ id: 'deleteRule', summary: 'Removes a rule; its alerts stay', tag, role: 'operator', params }),
    async ({ params }, reply) => {
      found(siteOf(context).rule(params.id), 'rule');
      await siteOf(context).deleteRule(params.id);
      return reply.code(204).send();
    },
  );
}
