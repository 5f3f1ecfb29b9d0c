declare module '*.yaml' {
  export const scenario: import('../../server/scenario/scenario-schema.ts').Scenario;
}
